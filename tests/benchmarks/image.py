"""The steps of the image in a new Debian root, and a scan in it as a user without an account in the root.

``python -m tests.benchmarks.image [--suite trixie]``

Needs root and debootstrap, and takes some minutes: it downloads Debian's base system and the packages of the lock. The
root gets what deploy/Containerfile copies, and runs deploy/install.sh. Then another user scans read-only photos. Exit
code 1 if that user does not find five faces on five photos, if a file of the catalogue can be read by others, or if a
photo was changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
USER = "54321:54321"
"""Any user and group: the root has no entry for them."""

IN_ROOT = """
set -eu
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
root=$1; shift
exec chroot "$@"
"""
"""Runs chroot in a mount namespace of its own, whose mounts end with it."""


def run_in_root(root: Path, command: list[str], user: str = "0:0") -> subprocess.CompletedProcess[str]:
    """A command inside the root, as a user, with the environment of the image."""
    return subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c", IN_ROOT, "sh", str(root), f"--userspec={user}", str(root)),
            *("env", "-i", "PATH=/opt/catalog/bin:/usr/bin:/bin", "HOME=/data", *_passed_on(), *command),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def make_root(root: Path, suite: str) -> None:
    """A Debian base system with Python, from debootstrap's own mirror."""
    subprocess.run(
        [
            *("debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates"),
            *(suite, root),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for name in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(name, root / name.lstrip("/"))
    source = root / "source"
    source.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
    for folder in ("data", "photos"):
        (root / folder).mkdir()
    (root / "data").chmod(0o1777)
    for photo in (ROOT / "tests" / "fixtures").glob("*.jpg"):
        shutil.copy(photo, root / "photos")
        (root / "photos" / photo.name).chmod(0o444)


def problems(root: Path) -> list[str]:
    """Each promise that the installed program breaks."""
    before = _digests(root / "photos")
    scan = run_in_root(root, ["catalog", "scan", "/photos", "--json"], USER)
    if scan.returncode:
        return [f"the scan ends with {scan.returncode}: {scan.stderr}"]
    summary = json.loads(scan.stdout.splitlines()[-1])
    failures = []
    if (summary["new"], summary["faces"]) != (5, 5):
        failures.append(f"{summary['faces']} faces on {summary['new']} photos, not 5 on 5")
    if _digests(root / "photos") != before:
        failures.append("a photo was changed")
    readable = [path for path in (root / "data").rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    failures += [f"others can read {path.relative_to(root)}" for path in readable]
    status = run_in_root(root, ["catalog", "status"], USER)
    if status.returncode:
        failures.append(f"the health check ends with {status.returncode}: {status.stderr}")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default="trixie", help="a release of Debian")
    arguments = parser.parse_args()
    if os.getuid() != 0 or shutil.which("debootstrap") is None:
        print("This proof needs root and debootstrap. It did not run.")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        start = time.monotonic()
        make_root(root, arguments.suite)
        base = _megabytes(root)
        print(f"Debian {arguments.suite}: {base} MB, {time.monotonic() - start:.0f} s", flush=True)
        start = time.monotonic()
        installed = run_in_root(root, ["sh", "/source/deploy/install.sh", "/source", "/opt/catalog"])
        if installed.returncode:
            print(installed.stderr, file=sys.stderr)
            return 1
        print(
            f"{installed.stdout.strip()}: {_megabytes(root / 'opt')} MB, {time.monotonic() - start:.0f} s", flush=True
        )
        failures = problems(root)
    print("\n".join(failures) or f"User {USER} scans read-only photos: 5 faces on 5 photos.")
    return 1 if failures else 0


def _passed_on() -> list[str]:
    """The package index of pip, from the caller's environment."""
    return [
        f"{name}={value}" for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")
    ]


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def _megabytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
