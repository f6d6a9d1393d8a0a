"""A file appears at its name when it is complete, and a kill leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.store import whole_file as module
from catalog.store.whole_file import whole_file


@pytest.fixture(params=["without a name", "with a name"])
def target(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that exists; also on a file system that has no files without a name."""
    if request.param == "with a name":
        monkeypatch.setattr(module, "_without_name", lambda _: None)
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    (tmp_path / "out.csv.part").write_bytes(b"a file of the user")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_complete_file_replaces_the_old_one_and_is_private(target):
    with whole_file(target) as file:
        file.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(target.parent) == ["out.csv", "out.csv.part"]
    assert target.with_name("out.csv.part").read_bytes() == b"a file of the user"


def test_a_link_stays_and_its_target_is_replaced(target):
    link = target.with_name("link.csv")
    link.symlink_to(target.name)
    with whole_file(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_device_is_written_to_and_stays(tmp_path):
    """A privileged user could replace /dev/null for all programs."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with whole_file(pipe) as file:
            file.write(b"new")
        assert os.read(reader, 100) == b"new"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_an_error_leaves_the_old_file(target):
    def write_half() -> None:
        with whole_file(target) as file:
            file.write(b"half")
            raise ValueError("no row")

    with pytest.raises(ValueError, match="no row"):
        write_half()
    assert target.read_bytes() == b"old"
    assert names(target.parent) == ["out.csv", "out.csv.part"]


def test_a_killed_process_leaves_nothing(tmp_path):
    """Where the file system has files without a name, as those of Linux do."""
    target = tmp_path / "out.csv"
    code = (
        "import os, pathlib, signal, sys; from catalog.store.whole_file import whole_file\n"
        "with whole_file(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    folder = os.open(tmp_path, os.O_RDONLY)
    probe = module._without_name(folder)
    os.close(folder)
    if probe is None:
        pytest.skip("this file system has no files without a name")
    os.close(probe)
    done = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert names(tmp_path) == []
