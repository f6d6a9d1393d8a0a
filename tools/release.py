"""Build a release into dist/ and try it as a user installs it: `make release`.

1. The working tree is clean, and CHANGELOG.md has a section for the version in pyproject.toml.
2. Wheel and sdist are built twice. Both times give the same bytes.
3. twine checks that PyPI shows the README.
4. dist/ gets a CycloneDX list of the components in requirements.lock, and SHA256SUMS.
5. pipx and uv install the wheel, each in an empty home folder, and the command scans tests/fixtures.

Needs the packages of the dependency group ``release``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
FIXTURES = ROOT / "tests" / "fixtures"
BIN = Path(sys.executable).parent


class ReleaseError(Exception):
    """A check failed; nothing may be published."""


def version() -> str:
    """The version in pyproject.toml, which is its only place."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def check_tree(number: str) -> None:
    """Raises ReleaseError if the tree has changes, or the changelog has no section for the version."""
    changes = _output(["git", "status", "--porcelain"])
    if changes:
        raise ReleaseError(f"Commit these changes first:\n{changes}")
    if not re.search(rf"^## {re.escape(number)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE):
        raise ReleaseError(f"CHANGELOG.md has no section '## {number}'. Rename 'Unreleased'.")


def build(folder: Path) -> dict[str, str]:
    """Wheel and sdist in a folder, with the time of the last commit; the SHA-256 of each by its name."""
    moment = _output(["git", "log", "-1", "--format=%ct"])
    subprocess.run(
        [BIN / "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": moment},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {path.name: _sha256(path) for path in sorted(folder.iterdir())}


def build_twice() -> list[Path]:
    """The two files of dist/. Raises ReleaseError if a second build gives other bytes."""
    shutil.rmtree(DIST, ignore_errors=True)
    digests = build(DIST)
    with tempfile.TemporaryDirectory() as folder:
        if build(Path(folder)) != digests:
            raise ReleaseError("A second build gave other bytes.")
    return [DIST / name for name in digests]


def write_components(number: str) -> Path:
    """The components of requirements.lock as CycloneDX JSON. The same lock gives the same bytes."""
    path = DIST / f"face_catalog-{number}.cdx.json"
    subprocess.run(
        [
            *(BIN / "cyclonedx-py", "requirements", ROOT / "requirements.lock"),
            *("--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "-o", path),
        ],
        # A requirements file names no dependencies between its entries, and the program warns about that.
        env={**os.environ, "PYTHONWARNINGS": "ignore::UserWarning"},
        check=True,
    )
    return path


def try_wheel(installer: str, wheel: Path) -> None:
    """Install the wheel in an empty home folder and scan five portraits.

    Raises ReleaseError if the scan does not find their five faces.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        kept = {"PATH", "LANG", "SSL_CERT_FILE", "PIP_CERT", "PIP_CONFIG_FILE", "UV_INDEX", "UV_FIND_LINKS"}
        environment = {name: value for name, value in os.environ.items() if name in kept} | {"HOME": folder}
        commands = {
            "pipx": [BIN / "pipx", "install", "--python", sys.executable, wheel],
            "uv": [BIN / "uv", "tool", "install", "--python", sys.executable, wheel],
        }
        subprocess.run(commands[installer], env=environment, cwd=home, check=True, capture_output=True)
        command = home / ".local" / "bin" / "catalog"
        done = subprocess.run(
            [command, "scan", FIXTURES, "--json"],
            env=environment,
            cwd=home,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ReleaseError(f"The command that {installer} installed ends with {done.returncode}:\n{done.stderr}")
        summary = json.loads(done.stdout.splitlines()[-1])
        if (summary["new"], summary["faces"]) != (5, 5):
            raise ReleaseError(f"The command that {installer} installed finds {summary['faces']} of 5 faces.")


def write_sums() -> None:
    """SHA256SUMS, as `sha256sum --check` reads it."""
    lines = [f"{_sha256(path)}  {path.name}\n" for path in sorted(DIST.iterdir())]
    (DIST / "SHA256SUMS").write_text("".join(lines))


def main() -> int:
    number = version()
    try:
        check_tree(number)
        files = build_twice()
        print(f"built {', '.join(path.name for path in files)}; a second build gives the same bytes")
        subprocess.run([BIN / "twine", "check", "--strict", *files], check=True)
        print(f"wrote {write_components(number).name}")
        write_sums()
        (wheel,) = (path for path in files if path.suffix == ".whl")
        for installer in ("pipx", "uv"):
            try_wheel(installer, wheel)
            print(f"{installer} installs it, and a scan finds 5 faces on 5 photos")
    except ReleaseError as error:
        print(f"No release: {error}", file=sys.stderr)
        return 1
    print(f"dist/ holds face-catalog {number}. Tag v{number}: the workflow `release` publishes it.")
    return 0


def _output(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
