"""64 hostile requests at once against the endpoint: its memory, and how long an honest client waits.

Run by hand: ``python -m tests.benchmarks.hostile_requests [SECONDS]``. Each kind of attack runs for some seconds with
64 senders, while one client lists collections and detects faces. The memory is that of the server and of its decoder
processes together.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image

from tests.endpoint.wire import client_of, encode, portrait
from tests.web.sites import connect

SENDERS = 64
_SERVE = """
from catalog.web.endpoint_server import open_endpoint
with open_endpoint() as server:
    print(server.url, flush=True)
    server.serve_forever()
"""
_HEADERS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "RekognitionService.DetectFaces"}


def resident(pid: int) -> float:
    """Resident memory of a process and its children in MB; shared pages are counted for each process."""
    pids, total = [pid], 0.0
    for process in pids:
        try:
            for task in Path(f"/proc/{process}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
            total += int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        except OSError:
            continue
    return total


def detect(data: bytes) -> bytes:
    return json.dumps({"Image": {"Bytes": base64.b64encode(data).decode()}}).encode()


@cache
def body(attack: str) -> bytes:
    match attack:
        case "PNG of 9,999 x 9,999":
            return detect(encode(Image.new("RGB", (9_999, 9_999)), "PNG"))
        case "16-bit PNG of 4,470 x 4,470":
            return detect(encode(Image.new("I;16", (4_470, 4_470)), "PNG"))
        case "progressive JPEG of 9,999 x 9,999":
            return detect(encode(Image.new("RGB", (9_999, 9_999)), "JPEG", progressive=True))
        case _:
            return b'{"Image":{"Bytes":"' + b"A" * 31_000_000 + b'"}}'


def attack_with(url: str, data: bytes, stop: threading.Event) -> None:
    address = urlsplit(url)
    while not stop.is_set():
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
        try:
            connection.request("POST", "/", data, _HEADERS)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            continue
        finally:
            connection.close()


def stay_silent(url: str, stop: threading.Event) -> None:
    connections = []
    for _ in range(5):
        try:
            connections.append(connect(url))
        except OSError:
            continue
    stop.wait()
    for connection in connections:
        connection.close()


def run(url: str, pid: int, name: str, seconds: float, sender: Callable[[threading.Event], None]) -> float:
    stop, rest = threading.Event(), resident(pid)
    threads = [threading.Thread(target=sender, args=(stop,), daemon=True) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    client, waits, peak, ends = client_of(url), {"list": [0.0], "detect": [0.0]}, rest, time.monotonic() + seconds
    peaks = [rest]

    def watch() -> None:
        while not stop.wait(0.02):
            peaks.append(resident(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    while time.monotonic() < ends:
        for kind, call in (
            ("list", client.list_collections),
            ("detect", lambda: client.detect_faces(Image={"Bytes": portrait("biden")})),
        ):
            started = time.monotonic()
            call()
            waits[kind].append(time.monotonic() - started)
        time.sleep(0.05)
    stop.set()
    peak = max(peaks)
    for thread in threads:
        thread.join(150)
    print(
        f"{name:34}  peak {peak - rest:4.0f} MB above {rest:.0f} MB at rest; honest client: {len(waits['list']) - 1} "
        f"rounds, ListCollections at most {max(waits['list']):.2f} s, DetectFaces at most {max(waits['detect']):.2f} s",
        flush=True,
    )
    return peak - rest


def main(seconds: float) -> None:
    server = subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        client = client_of(url)
        for _ in range(5):
            client.detect_faces(Image={"Bytes": portrait("biden")})
        attacks = (
            "PNG of 9,999 x 9,999",
            "16-bit PNG of 4,470 x 4,470",
            "progressive JPEG of 9,999 x 9,999",
            "bodies of 31 MB",
        )
        for attack in attacks:
            data = body(attack)
            run(
                url,
                server.pid,
                f"{attack} ({len(data) / 1e6:.1f} MB)",
                seconds,
                partial(attack_with, url, data),
            )
        run(url, server.pid, "320 silent connections", seconds, partial(stay_silent, url))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 15.0)
