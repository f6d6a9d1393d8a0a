"""`catalog endpoint` as a process: output, end and refusals."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.endpoint.wire import client_of, portrait, post


@contextmanager
def serving(*arguments, environment=None):
    """The process and the address that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "catalog.cli.main", "endpoint", "--port", "0", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def test_the_endpoint_serves_until_a_signal(guarded_home):
    """It prints its address, answers boto3, stores its collections in its own file, and ends with 0."""
    with serving() as (process, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        client = client_of(url)
        client.create_collection(CollectionId="kept")
        client.index_faces(CollectionId="kept", Image={"Bytes": portrait("biden")})
        assert ended_by(signal.SIGINT, process) == (0, "")
    with serving() as (process, url):
        assert client_of(url).describe_collection(CollectionId="kept")["FaceCount"] == 1
        assert ended_by(signal.SIGTERM, process) == (0, "")
    assert list(guarded_home.rglob("endpoint.sqlite3"))


def ended_by(number, process):
    """Sends a signal; returns the exit code and the messages."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    return process.returncode, errors


def test_an_address_other_than_loopback_gives_a_warning():
    """Other machines can reach the endpoint then."""
    with serving("--host", "0.0.0.0", "--data", ":memory:") as (process, url):
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=10)
        assert talk == (
            f"catalog: Warning: other machines can reach {url} and need no key; use --keys or --host 127.0.0.1.\n"
        )


@pytest.fixture(scope="module")
def endpoint_with_keys(tmp_path_factory):
    """The address of an endpoint with a key of no account and keys of two accounts."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "keys").write_text("AKIDTEST right\n\nAKIDONE right 111111111111\nAKIDTWO right 222222222222\n")
    guarded = {"PATH": os.environ["PATH"], "HOME": str(folder)}  # guarded_home is not set yet
    with serving("--data", folder / "data.sqlite3", "--keys", folder / "keys", environment=guarded) as (_, url):
        yield url


def test_keys_come_from_a_file(endpoint_with_keys):
    """Requests without a key are refused."""
    client_of(endpoint_with_keys, secret="right").list_collections()
    with pytest.raises(Exception, match="InvalidSignatureException"):
        client_of(endpoint_with_keys, secret="wrong").list_collections()


def test_keys_can_have_accounts(endpoint_with_keys):
    """Keys of different accounts have different collections."""
    first, second = (client_of(endpoint_with_keys, key=key, secret="right") for key in ("AKIDONE", "AKIDTWO"))
    first.create_collection(CollectionId="c")
    assert first.list_collections()["CollectionIds"] == ["c"]
    assert second.list_collections()["CollectionIds"] == []


def test_a_file_without_keys_is_refused(catalog, tmp_path):
    """The message has the file's name and the expected content."""
    (tmp_path / "keys").write_text("only-one-word")
    answer = catalog("endpoint", "--keys", tmp_path / "keys", "--data", ":memory:")
    assert answer.code == 2
    assert "does not hold keys" in answer.err


def test_a_port_in_use_is_a_usage_error(catalog):
    """Exit code 2, with a remedy."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        answer = catalog("endpoint", "--port", port, "--data", ":memory:")
    assert answer.code == 2
    assert f'cannot listen on "127.0.0.1" port {port}' in answer.err
    assert "--port" in answer.err


def test_the_tally_is_printed_at_the_end_and_on_request():
    """The tally counts calls by operation and status."""
    with serving("--data", ":memory:", "--tally") as (process, url):
        client_of(url).list_collections()
        process.send_signal(signal.SIGUSR1)
        lines = [process.stdout.readline().split() for _ in range(2)]
        assert lines == [["operation", "status", "calls"], ["ListCollections", "success", "1"]]
        client_of(url).list_collections()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
        assert out.splitlines()[-1].split() == ["ListCollections", "success", "2"]


def test_other_host_names_must_be_allowed():
    """A web page cannot reach the endpoint under another host name."""
    with serving("--data", ":memory:", "--allow-host", "Faces.example") as (_, url):
        assert post(url, "ListCollections", Host="faces.example:4599").status == 200
        assert post(url, "ListCollections", Host="attacker.example").status == 421
