"""A killed scan: its calls are in the charge log, and no photo that Amazon enrolled is sent again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.photos_of_nobody import save_photos_without_faces


class KillingEndpoint:
    """Stands before IndexFaces: ends the scan with SIGKILL at its third call, after the work of all calls is done."""

    def __init__(self, server):
        self._handlers = server.service._handlers
        self._index = self._handlers["IndexFaces"]
        self._handlers["IndexFaces"] = self
        self.process = None
        self.calls = 0

    def __call__(self, call):
        answer = self._index(call)
        self.calls += 1
        if self.process is not None and self.calls >= 3:
            os.kill(self.process.pid, signal.SIGKILL)
        return answer


def run_to_its_kill(endpoint, folder):
    command = [sys.executable, "-m", "catalog", "scan", str(folder), "--workers", "2"]
    endpoint.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert endpoint.process.wait(60) == -signal.SIGKILL
    endpoint.process = None


def charges(catalog):
    rows = catalog("costs", "--json").json["month"]["charges"]
    return {(row["operation"], row["command"]): row["calls"] for row in rows}


def index_calls(counted):
    return sum(calls for (operation, _), calls in counted.items() if operation == "IndexFaces")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_calls_of_a_killed_scan_are_counted_and_not_repeated(
    catalog, portraits, serving, monkeypatch, request, tmp_path, database
):
    """The charge log holds every call that the endpoint answered; the second scan sends the other photos only."""
    url = request.getfixturevalue("postgresql_url") if database == "postgresql" else str(tmp_path / "c.sqlite3")
    monkeypatch.setenv("CATALOG_DATABASE_URL", url)
    with serving() as server:
        endpoint = KillingEndpoint(server)
        run_to_its_kill(endpoint, portraits)
        sent = endpoint.calls
        assert sent >= 3
        counted = charges(catalog)
        logged = index_calls(counted)
        assert logged >= sent
        lost = counted["IndexFaces", "lost"]
        assert lost >= 1
        assert f"{lost} calls" in catalog("costs").out
        assert "answers were lost" in catalog("costs").out
        again = catalog("scan", portraits, "--json")
        assert again.code == 0, again.err
        assert endpoint.calls == 5
        counted = charges(catalog)
        assert counted["IndexFaces", "lost"] == lost
        # A kill between an intent and its call may leave a call in the log that the endpoint never got.
        assert 5 <= index_calls(counted) <= 5 + logged - sent
        assert catalog("reconcile", "--json").json["orphans"] == 0
        assert endpoint.calls == 5
        assert len(catalog("people", "list", "--json").json) == 3


KILLED_BEFORE_RECORDING = """
import os, signal, sys
from catalog.cli.main import run
from catalog.scanning.record_stage import Recorder
Recorder.record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
run(["scan", sys.argv[1]])
"""


def test_a_photo_without_a_face_that_was_answered_is_not_sent_again(catalog, serving, tmp_path, on_database):
    """The collection does not show it. The answer is in the database before the photo is recorded."""
    folder = tmp_path / "photos"
    folder.mkdir()
    save_photos_without_faces(folder, 1)
    with serving() as server:
        ended = subprocess.run([sys.executable, "-c", KILLED_BEFORE_RECORDING, str(folder)], check=False)
        assert ended.returncode == -signal.SIGKILL
        assert server.service.tally["IndexFaces", ""] == 1
        again = catalog("scan", folder, "--json")
        assert again.code == 0, again.err
        assert again.json_lines[-1]["new"] == 1
        assert server.service.tally["IndexFaces", ""] == 1
        assert charges(catalog) == {("IndexFaces", "lost"): 1}


class LoginPage(BaseHTTPRequestHandler):
    """Answers every request with status 200 and ``body``."""

    body = b""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", b"\xff\xfe", b"[]", b"{}", b"null", b'{"FaceDetails'])
def test_a_response_that_is_none_of_the_service_is_one_sentence(catalog, portraits, serving, monkeypatch, body):
    """Exit code 5, and the charge log counts the calls: the service may have answered and a proxy replaced it."""
    page = ThreadingHTTPServer(("127.0.0.1", 0), type("Page", (LoginPage,), {"body": body}))
    threading.Thread(target=page.serve_forever, daemon=True).start()
    try:
        with serving():
            url = f"http://127.0.0.1:{page.server_port}"
            monkeypatch.setenv("CATALOG_REKOGNITION_ENDPOINT_URL", url)
            done = catalog("analyze", portraits / "obama_1.jpg")
            assert done.code == 5
            assert f"The response to DetectFaces from {url} is none of Amazon Rekognition." in done.err
            assert "Traceback" not in done.err
            assert sum(charges(catalog).values()) == 3
            done = catalog("scan", portraits)
            assert done.code == 5
            assert "is none of Amazon Rekognition" in done.err
    finally:
        page.shutdown()
        page.server_close()


def test_an_empty_response_in_a_scan_ends_it_and_counts(catalog, portraits, serving):
    """IndexFaces is answered without its members. The photos are sent again by the next scan."""
    with serving() as server:
        handlers = server.service._handlers
        index_faces = handlers["IndexFaces"]
        handlers["IndexFaces"] = lambda call: {}
        done = catalog("scan", portraits, "--workers", "1")
        assert done.code == 5
        assert "The response to IndexFaces" in done.err
        assert "Traceback" not in done.err
        answered = sum(n for (operation, error), n in server.service.tally.items() if operation == "IndexFaces")
        assert index_calls(charges(catalog)) == answered >= 3
        handlers["IndexFaces"] = index_faces
        assert catalog("scan", portraits).code == 0
        assert len(catalog("people", "list", "--json").json) == 3
