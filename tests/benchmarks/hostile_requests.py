"""64 hostile requests at once against the endpoint: its memory, and how long an honest client waits.

Run by hand: ``python -m tests.benchmarks.hostile_requests [SECONDS]``. Each kind of attack runs for some seconds with
64 senders in a process of their own, while one client lists collections and detects faces. The memory is that of the
server and of its decoder processes together. Exit code 1 if it grows by more than 400 MB, or if the client waits
longer than 2 seconds.
"""

from __future__ import annotations

import base64
import http.client
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from functools import cache
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image

from tests.endpoint.wire import client_of, encode, portrait
from tests.web.sites import connect

SENDERS = 64
SILENCE = "320 silent connections"
MOST_MEGABYTES = 400.0
LONGEST_WAIT = 2.0
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


def attack(url: str, name: str, begun: Event, stop: Event) -> None:
    """Send from all threads until ``stop``; sets ``begun``. Runs in a process of its own."""
    data = b"" if name == SILENCE else body(name)
    senders = [
        threading.Thread(target=stay_silent, args=(url, stop))
        if name == SILENCE
        else threading.Thread(target=attack_with, args=(url, data, stop))
        for _ in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    begun.set()
    for sender in senders:
        sender.join()


def attack_with(url: str, data: bytes, stop: Event) -> None:
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


def stay_silent(url: str, stop: Event) -> None:
    connections = []
    for _ in range(5):
        try:
            connections.append(connect(url))
        except OSError:
            continue
    stop.wait()
    for connection in connections:
        connection.close()


def run(url: str, pid: int, name: str, seconds: float) -> bool:
    """Print the results of one attack. True if the limits were kept."""
    spawn = multiprocessing.get_context("spawn")
    begun, stop, rest = spawn.Event(), spawn.Event(), resident(pid)
    attackers = spawn.Process(target=attack, args=(url, name, begun, stop))
    peaks, is_over = [rest], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.02):
            peaks.append(resident(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    attackers.start()
    begun.wait()
    client, waits, ends = client_of(url), {"list": [0.0], "detect": [0.0]}, time.monotonic() + seconds
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
    is_over.set()
    watcher.join()
    attackers.join(150)
    peak, longest = max(peaks) - rest, max(max(part) for part in waits.values())
    print(
        f"{name:34}  peak {peak:4.0f} MB above {rest:.0f} MB at rest; honest client: {len(waits['list']) - 1} "
        f"rounds, ListCollections at most {max(waits['list']):.2f} s, DetectFaces at most {max(waits['detect']):.2f} s",
        flush=True,
    )
    return peak <= MOST_MEGABYTES and longest <= LONGEST_WAIT


def main(seconds: float) -> int:
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
            SILENCE,
        )
        kept = [run(url, server.pid, name, seconds) for name in attacks]
        return 0 if all(kept) else 1
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 15.0))
