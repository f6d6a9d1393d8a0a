"""The billed case as a user runs it: ``catalog scan`` with the Rekognition engine, against our endpoint, over HTTP.

One scan enrolls all photos. Every other case starts from a copy of that catalogue without persons and searches. Some
faces are removed from the collection, and the same scan runs again: it enrolls nothing and repeats its paid searches.
The endpoint counts the searches. The nights start with an empty catalogue and a growing folder.
"""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter

import boto3
import numpy as np

from catalog.web.endpoint_server import EndpointServer, open_endpoint
from tests.benchmarks.identities.library import ROOT, score

_STRANGERS = 300
_EVERY_FACE = "100"
"""A cover that no face but a copy reaches, so that every face is searched."""
_AT_ONCE = 1000


def album_of(truth: Path) -> list[str]:
    """Photos of people with ten photos or more, and 300 strangers with one."""
    with truth.open(newline="") as file:
        person = {row["photo"]: row["person"] for row in csv.DictReader(file)}
    counts = Counter(person.values())
    often = sorted(photo for photo, name in person.items() if counts[name] >= 10)
    strangers = sorted(photo for photo, name in person.items() if counts[name] == 1)
    chosen: list[str] = np.random.default_rng(0).permutation(strangers)[:_STRANGERS].tolist()
    return often + chosen


class BilledRun:
    """One catalogue, one endpoint, and what its scans searched for."""

    def __init__(self, photos: Path, truth: Path, work: Path, server: EndpointServer, url: str) -> None:
        self.photos, self.truth, self.work, self.server, self.url = photos, truth, work, server, url
        self.path = work / "http.sqlite3"

    def scan(self, label: str, wanted: Sequence[str] | None = None, *, cover: str | None = None) -> None:
        before, start = self.server.service.tally, perf_counter()
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "CATALOG_REKOGNITION_REGION": "us-east-1",
            "CATALOG_REKOGNITION_ENDPOINT_URL": self.url,
            "CATALOG_REKOGNITION_CALLS_PER_SECOND": "10000",
        }
        if cover is not None:
            environment["CATALOG_IDENTITIES_SEARCH_COVER"] = cover
        command = [sys.executable, "-m", "catalog", "scan", str(self.photos), "--engine", "rekognition"]
        command += ["--workers", "4", "--database", str(self.path)]
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        calls = self.server.service.tally - before
        with closing(sqlite3.connect(self.path)) as database:
            faces = database.execute("SELECT count(*) FROM faces").fetchone()[0]
        searched = calls["SearchFaces", ""]
        print(f"{label}: {searched:,} SearchFaces for {faces:,} faces, {searched / faces:.3f} a face", end="; ")
        print(f"{calls['IndexFaces', '']:,} IndexFaces; {perf_counter() - start:.0f} s", flush=True)
        failures = {key: count for key, count in calls.items() if key[1]}
        print(
            f"  {score(self.truth, self.groups(), self.work, wanted)}" + (f"; failures {failures}" if failures else "")
        )

    def faces(self) -> Iterator[tuple[str, str, bool, str | None]]:
        """Photo, id of the face, whether it is the one nearest the photo's center, and its person."""
        query = (
            "SELECT l.uri, f.face_id, f.box_left + f.box_width / 2 - 0.5, f.box_top + f.box_height / 2 - 0.5,"
            " p.person_id FROM faces f JOIN locations l ON l.photo_id = f.photo_id"
            " LEFT JOIN assignments a ON a.face_id = f.id LEFT JOIN persons p ON p.id = a.person_id"
        )
        with closing(sqlite3.connect(self.path)) as database:
            rows = [(uri.partition("/photos/")[2], *rest) for uri, *rest in database.execute(query)]
        nearest: dict[str, tuple[float, str]] = {}
        for photo, face_id, across, down, _ in rows:
            away = (across**2 + down**2, face_id)
            nearest[photo] = min(away, nearest.get(photo, away))
        for photo, face_id, _, _, person in rows:
            yield photo, face_id, nearest[photo][1] == face_id, person

    def groups(self) -> dict[str, str]:
        return {photo: person for photo, _, central, person in self.faces() if central and person is not None}

    def anew(self) -> None:
        """Delete persons, assignments and searches."""
        with closing(sqlite3.connect(self.path)) as database, database:
            for table in ("assignments", "searches", "matches", "persons"):
                database.execute(f"DELETE FROM {table}")

    def leave_out(self, face_ids: Sequence[str]) -> None:
        """Take faces out of the collection and of the catalogue."""
        client = boto3.client(
            "rekognition",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        for start in range(0, len(face_ids), _AT_ONCE):
            client.delete_faces(CollectionId="catalog", FaceIds=list(face_ids[start : start + _AT_ONCE]))
        with closing(sqlite3.connect(self.path)) as database, database:
            database.executemany("DELETE FROM faces WHERE face_id = ?", [(face_id,) for face_id in face_ids])


@contextmanager
def endpoint(work: Path) -> Iterator[tuple[EndpointServer, str]]:
    with open_endpoint(str(work / "endpoint.sqlite3")) as server, server.in_background() as url:
        yield server, url


def billed_over_http(photos: Path, truth: Path, work: Path) -> None:
    work = work / "http"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with endpoint(work) as (server, url):
        run = BilledRun(photos, truth, work, server, url)
        run.scan("all of LFW, cover")
        both_ways(run, "all of LFW", None, skip_cover=True)
        album = album_of(truth)
        run.leave_out([face for photo, face, _, _ in run.faces() if photo not in set(album)])
        both_ways(run, "album, all faces", album)
        run.leave_out([face for _, face, central, _ in run.faces() if not central])
        both_ways(run, "album, center faces", album)
    shutil.rmtree(work)


def billed_nights_over_http(photos: Path, truth: Path, work: Path, *, nights: int = 10, seed: int = 0) -> None:
    """The same folder every night, with a tenth more of the photos in it, in random order."""
    work = work / "http-nights"
    shutil.rmtree(work, ignore_errors=True)
    folder = work / "photos"
    folder.mkdir(parents=True)
    order = np.random.default_rng(seed).permutation(sorted(str(p.relative_to(photos)) for p in photos.rglob("*.jpg")))
    with endpoint(work) as (server, url):
        run = BilledRun(folder, truth, work, server, url)
        company: dict[str, str] = {}
        shown: list[str] = []
        for night, part in enumerate(np.array_split(order, nights), 1):
            for name in part.tolist():
                (folder / name).parent.mkdir(exist_ok=True)
                shutil.copy(photos / name, folder / name)
            shown += part.tolist()
            run.scan(f"night {night}", shown)
            now = {face: person for _, face, _, person in run.faces() if person is not None}
            print(f"  faces that left company {len(left_company(company, now))}", flush=True)
            company = now
        searched, faces = server.service.tally["SearchFaces", ""], sum(1 for _ in run.faces())
    print(f"{nights} nights: {searched:,} SearchFaces for {faces:,} faces, {searched / faces:.3f} a face")
    shutil.rmtree(work)


def left_company(before: Mapping[str, Hashable], now: Mapping[str, Hashable]) -> set[str]:
    """Faces that shared a person with one from which they are parted now."""
    size = Counter(before.values())
    together = Counter((person, now.get(face)) for face, person in before.items())
    return {face for face, person in before.items() if together[person, now.get(face)] < size[person]}


def both_ways(run: BilledRun, name: str, wanted: Sequence[str] | None, *, skip_cover: bool = False) -> None:
    ways: Mapping[str, str | None] = {"cover": None, "every face": _EVERY_FACE}
    for label, cover in ways.items():
        if not (skip_cover and cover is None):
            run.anew()
            run.scan(f"{name}, {label}", wanted, cover=cover)
