"""Times of the review pages on a large catalogue, through the real server: ``python -m tests.benchmarks.review_scale``.

The catalogue is made by :mod:`tests.review_catalogue`, in ``--folder``, and kept there. Each run works on a
copy of it. ``--database`` names a blank PostgreSQL database to use instead; it is filled and answered. A time is from
the first byte of the request to the last byte of the reply. Processor time is that of the server and its decoder
processes. Exits with 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.review_catalogue import make_catalogue

LIMITS = {"first page": 1.0, "crop": 0.15, "next card": 0.1, "status": 0.1}
ANSWER_LIMIT = 0.1
LONGEST_MEMORY = 500
"""MB of the server process, without its decoder processes."""


@dataclass
class Server:
    """A running ``catalog review`` and a signed-in connection to it."""

    process: subprocess.Popen[str]
    host: str
    connection: http.client.HTTPConnection
    cookie: str = ""
    page_key: str = ""
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    processor: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Highest resident memory of the server process during a request, in MB, by label."""

    def request(self, method: str, path: str, body: object = None) -> tuple[int, bytes, str]:
        headers = {"Host": self.host, "Cookie": self.cookie}
        if method == "POST":
            headers |= {"Origin": f"http://{self.host}", "Content-Type": "application/json", "X-Review": self.page_key}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.connection.getresponse()
        cookie = response.getheader("Set-Cookie") or ""
        return response.status, response.read(), cookie

    def timed(self, label: str, method: str, path: str, body: object = None) -> Any:
        """A request whose time is recorded. Returns the reply, parsed if it is JSON."""
        processor, start = self.processor_seconds(), time.perf_counter()
        status, reply, _ = self.request(method, path, body)
        self.times[label].append(time.perf_counter() - start)
        self.processor[label].append(self.processor_seconds() - processor)
        self.memory[label] = max(self.memory[label], self.peak_memory())
        if status != 200:
            raise SystemExit(f"{label}: {status} {reply[:300]!r}")
        return json.loads(reply) if reply[:1] in (b"{", b"[") else reply

    def post(self, label: str, path: str, body: dict[str, Any]) -> Any:
        return self.timed(label, "POST", path, {"key": str(uuid.uuid4()), **body})

    def sign_in(self, token: str) -> None:
        _, _, cookie = self.request("POST", "/session", {"token": token})
        self.cookie = cookie.partition(";")[0]
        page = self.request("GET", "/find")[1].decode()
        self.page_key = page.partition('name="review-key" content="')[2].partition('"')[0]

    def processes(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def processor_seconds(self) -> float:
        """Processor time of the server's threads and of its decoder processes."""
        total = 0
        for process in self.processes():
            for thread in Path(f"/proc/{process}/task").iterdir():
                try:
                    total += int((thread / "schedstat").read_text().split()[0])
                except OSError:  # the thread has ended
                    continue
        return total / 1e9

    def peak_memory(self) -> float:
        """Highest resident memory of the server process since the last call, in MB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return int(re.findall(r"VmHWM:\s+(\d+)", text)[0]) / 1000


@contextmanager
def serving(database: str) -> Iterator[Server]:
    """``catalog review`` on a catalogue, and its time to the first line."""
    command = [sys.executable, "-m", "catalog", "review", "--no-open", "--database", database]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            started = time.perf_counter() - start
            host, _, token = address.removeprefix("http://").partition("/enter#")
            port = int(host.rpartition(":")[2])
            server = Server(process, host, http.client.HTTPConnection("127.0.0.1", port, timeout=120))
            server.times["start"].append(started)
            server.processor["start"].append(server.processor_seconds())
            server.sign_in(token)
            yield server
        finally:
            process.send_signal(signal.SIGINT)


def measure(server: Server, rounds: int) -> None:
    """Look at pages and answer ``rounds`` cards of each kind."""
    server.timed("first page", "GET", "/")
    for _ in range(rounds // 4):
        server.timed("home page", "GET", "/")
        server.timed("status", "GET", "/api/status")
    _answer(server, "name group", rounds, "group", _name)
    _answer(server, "join with a person", rounds // 2, "group", _join)
    _answer(server, "hide", rounds // 2, "group", lambda *_: {"answer": "hide"})
    _answer(server, "pair yes", rounds // 2, "pair", lambda *_: {"answer": "yes", "same_photo": True})
    _answer(server, "pair no", rounds // 2, "pair", lambda *_: {"answer": "no"})
    _answer(server, "not sure", rounds // 4, "pair", lambda *_: {"answer": "not_sure"})
    _answer(server, "confirm grid", rounds // 2, "grid", _confirm)
    for _ in range(rounds):
        server.post("undo", "/api/undo", {"last": True})
    _browse(server, rounds)
    _crops(server, rounds)


_MOST_LEFT_OUT = 300
"""Cards that one request can leave out."""


def _answer(
    server: Server, label: str, count: int, kind: str, body: Callable[[Server, dict[str, Any], int], dict[str, Any]]
) -> None:
    """Answer the next cards of one kind as the page does. Cards of other kinds are left out."""
    excluded: list[str] = []
    number = 0
    for _ in range(_MOST_LEFT_OUT // 6 + count):
        if number == count:
            return
        path = f"/api/questions?limit=6&not={','.join(excluded)}"
        cards = server.timed("next card", "GET", path)["questions"]
        wanted = [card for card in cards if card["kind"] == kind]
        excluded += [card["id"] for card in cards if card["kind"] != kind]
        excluded = excluded[-_MOST_LEFT_OUT:]
        for card in wanted[:1]:  # a card after it may be about the same person
            answer = {"question": card["id"], "seen": card["seen"], **body(server, card, number)}
            server.post(label, "/api/answers", answer)
            number += 1
    print(f"{label}: only {number} cards of the kind among the next")


def _name(server: Server, card: dict[str, Any], number: int) -> dict[str, Any]:
    """A new name; every third time one face is unticked."""
    server.timed("names", "GET", f"/api/names?q=ne&near={card['person']['person']}")
    faces = [tile["face"] for row in card["rows"] for tile in row["tiles"]]
    unticked = [{"face": faces[0], "as": "reject"}] if number % 3 == 0 and len(faces) > 1 else []
    return {"answer": "name", "name": {"new": f"New Name {uuid.uuid4()}"}, "unticked": unticked}


def _join(server: Server, card: dict[str, Any], number: int) -> dict[str, Any]:
    people = server.timed("names", "GET", f"/api/names?q=pe&near={card['person']['person']}")["names"]
    return {"answer": "name", "name": {"person": people[number % len(people)]["person"]}, "same_photo": True}


def _confirm(_server: Server, card: dict[str, Any], _number: int) -> dict[str, Any]:
    tiles = [{"face": tile["face"], "as": "confirm" if tile["ticked"] else "reject"} for tile in card["tiles"]]
    return {"answer": "confirm", "tiles": tiles, "same_photo": True}


def _browse(server: Server, rounds: int) -> None:
    """Pages of people, of the largest and of smaller people, of photos and of albums; hide and show strangers."""
    page = server.timed("people page", "GET", "/people").decode()
    people = re.findall(r'href="/people/(p[0-9a-z]+)"', page)
    for number in range(rounds // 4):
        server.timed("people page", "GET", ("/people", "/people?shown=unnamed", "/people?q=per")[number % 3])
        server.timed("person page", "GET", f"/people/{people[number % len(people)]}")
        server.timed("person in time", "GET", f"/people/{people[number % len(people)]}/time")
        server.timed("person together", "GET", f"/people/{people[number % len(people)]}/together")
        photos = server.timed("photos page", "GET", ("/photos", "/photos?year=2012")[number % 2]).decode()
        match = re.search(r'href="/photos/([0-9a-f]{64})"', photos)
        assert match is not None
        server.timed("photo page", "GET", f"/photos/{match[1]}")
        server.timed("photos of a person", "GET", f"/photos?with={people[number % len(people)]}")
        server.timed("albums page", "GET", "/albums")
        server.timed("history page", "GET", "/history")
    strangers = server.timed("strangers page", "GET", "/strangers?fewer_than=3").decode()
    match = re.search(r'data-count="(\d+)"', strangers)
    assert match is not None
    hidden = server.post("hide strangers", "/api/strangers", {"fewer_than": 3, "count": int(match[1])})
    server.post("show strangers again", "/api/undo", {"group": hidden["group"]})


def _crops(server: Server, rounds: int) -> None:
    """Crops of 12 megapixel photos, each asked for once."""
    faces: list[str] = []
    for path in sorted((Path(os.environ["REVIEW_PHOTOS"])).glob("*.jpg")):
        page = server.request("GET", f"/photos/{path.stem}")[1].decode()
        faces += re.findall(r"/crops/([0-9a-f-]{36})/", page)
    wanted = list(dict.fromkeys(faces))
    if wanted:
        server.timed("first crop", "GET", f"/crops/{wanted[0]}/192")
    for face in wanted[1 : rounds + 1]:
        server.timed("crop", "GET", f"/crops/{face}/192")


def report(server: Server) -> int:
    """Print all times. Returns 1 if a limit is missed."""
    failed = False
    print(f"{'':22} {'count':>6} {'median':>9} {'p95':>9} {'most':>9} {'processor':>10} {'memory':>7}  (ms, MB)")
    answers = {"name group", "join with a person", "hide", "pair yes", "pair no", "not sure", "confirm grid", "undo"}
    for label, times in server.times.items():
        ordered = sorted(times)
        p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
        limit = ANSWER_LIMIT if label in answers else LIMITS.get(label)
        is_late = limit is not None and p95 > limit
        failed |= is_late
        processor = sum(server.processor[label]) / len(times)
        figures = f"{1e3 * ordered[len(ordered) // 2]:9.1f} {1e3 * p95:9.1f} {1e3 * ordered[-1]:9.1f}"
        note = "" if limit is None else f"  limit {1e3 * limit:.0f}{' MISSED' if is_late else ''}"
        print(f"{label:22} {len(times):6} {figures} {1e3 * processor:10.1f} {server.memory[label]:7.0f}{note}")
    memory = max(server.peak_memory(), *server.memory.values())
    failed |= memory > LONGEST_MEMORY
    print(f"memory of the server: {memory:.0f} MB at most, limit {LONGEST_MEMORY}")
    return int(failed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "review_scale")
    parser.add_argument("--database", help="a blank PostgreSQL database")
    parser.add_argument("--rounds", type=int, default=40, help="answers of each kind")
    parser.add_argument("--make-only", action="store_true", help="make the catalogue and measure nothing")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    os.environ["REVIEW_PHOTOS"] = str(arguments.folder / "photos")
    original = arguments.folder / f"catalogue_{arguments.faces}.sqlite3"
    if arguments.database:
        make_catalogue(arguments.database, arguments.folder, arguments.faces)
    elif not original.exists():
        unfinished = original.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        make_catalogue(str(unfinished), arguments.folder, arguments.faces)
        unfinished.rename(original)
    if arguments.make_only:
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        database = arguments.database
        if database is None:
            database = str(Path(folder) / "catalogue.sqlite3")
            shutil.copyfile(original, database)
            os.sync()  # otherwise commits wait while the system writes the copy to the disk
        with serving(database) as server:
            try:
                measure(server, arguments.rounds)
            finally:
                failed = report(server)
            return failed


if __name__ == "__main__":
    sys.exit(main())
