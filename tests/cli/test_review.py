"""`catalog review` as a process: the printed address, and the end."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

import catalog
from tests.web.browser import ReviewClient


@pytest.fixture
def database(portraits, tmp_path):
    """A scanned catalogue."""
    path = tmp_path / "catalog.sqlite3"
    with catalog.open(path, create=True) as library:
        for _ in library.scan([portraits]):
            pass
    return path


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_an_address_that_works_once_and_ends_when_told(database, end):
    """With --no-open. Exit code 0."""
    command = [sys.executable, "-m", "catalog.cli.main", "review", "--no-open", "--database", str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        host = re.fullmatch(r"http://(r-[0-9a-f]{8}\.localhost:\d+)/enter#[\w-]{43}", address)[1]
        client = ReviewClient(host)
        assert client.sign_in(address) == 200
        assert client.get("/api/status")["faces"] == 5
        assert ReviewClient(host).sign_in(address) == 403
        process.send_signal(end)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_missing_catalogue_is_an_error(catalog, tmp_path):
    """A mistyped path does not open an empty review."""
    answer = catalog("review", "--no-open", "--database", tmp_path / "missing.sqlite3")
    assert answer.code == 6
