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


def test_lan_prints_a_code_and_a_refusal_starts_nothing(database):
    """The answer at the terminal decides; an address without TLS is never printed."""
    command = [sys.executable, "-m", "catalog.cli.main", "review", "--lan", "--lan-address", "127.0.0.1"]
    command += ["--database", str(database)]
    refused = subprocess.run(command, input="n\n", capture_output=True, text=True, check=False, timeout=60)
    assert (refused.returncode, refused.stdout.splitlines()[-1][-12:]) == (0, "Not started.")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdin.write("y\n")
        process.stdin.flush()
        lines = []
        while not lines or not lines[-1].startswith("https://127.0.0.1:"):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        assert any("SHA-256" in line for line in lines)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_an_address_of_the_network_needs_lan(catalog, database):
    """So that no page is served to others by mistake."""
    assert catalog("review", "--lan-address", "127.0.0.1", "--database", database).code == 2
