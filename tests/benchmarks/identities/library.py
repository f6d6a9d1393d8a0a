"""A scanned catalogue taken apart, so that its faces can be enrolled again in other ways."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, insert, select, update

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import GroupMeans, NeighborEdges
from catalog.domain.faces import Match, NeighborList
from catalog.domain.timestamps import utc_text
from catalog.engines.local.engine import LocalEngine
from catalog.engines.neighbor_edges import neighbor_edges
from catalog.store.database import Database, open_database
from catalog.store.tables import assignments, faces, locations, matches, persons, photos, scans, searches

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = "later"
"""The gallery in which faces wait for their night."""


def scanned(folder: Path, work: Path, name: str) -> Path:
    """The catalogue of a folder, scanned by the product; made once."""
    path = work / f"{name}.sqlite3"
    if not path.exists():
        command = [sys.executable, "-m", "catalog", "scan", str(folder), "--database", f"{path}.new"]
        subprocess.run(command, check=True, cwd=ROOT)
        Path(f"{path}.new").rename(path)
    return path


@dataclass
class Meaning:
    """Lends the vectors of a scanned gallery, as the local engine does: it is the local engine's arithmetic."""

    ids: Sequence[str]
    vectors: NDArray[np.float32]
    engine: LocalEngine | None
    name: str = "local"
    model: str = "benchmark"
    index_by_id: dict[str, int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    @property
    def group_means(self) -> GroupMeans:
        return self

    def __post_init__(self) -> None:
        self.index_by_id = {face_id: index for index, face_id in enumerate(self.ids)}

    def neighbor_edges(self, face_ids: Sequence[str], *, per_face: int, floor: float) -> NeighborEdges:
        return neighbor_edges(self.group_vectors(face_ids), per_face=per_face, floor=floor)

    def group_vectors(self, face_ids: Sequence[str]) -> NDArray[np.float32]:
        return self.vectors[[self.index_by_id[face_id] for face_id in face_ids]]

    def similarities(self, values: Sequence[float]) -> list[float]:
        return self.engine.similarities(values) if self.engine else [100.0 * max(0.0, value) for value in values]

    def remove(self, face_ids: Sequence[str]) -> set[str]:
        return set(face_ids)


@dataclass
class Listing:
    """Gives lists of neighbors only, among the faces enrolled so far, and counts them."""

    lender: Meaning
    enrolled: list[str] = field(default_factory=list)
    name: str = "local"
    model: str = "benchmark"
    calls: int = 0
    group_means: GroupMeans | None = None
    _enrolled_vectors: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 128), np.float32))

    def neighbors(self, face_id: str, threshold: float, limit: int = 4096) -> NeighborList:
        self.calls += 1
        if len(self._enrolled_vectors) != len(self.enrolled):
            self._enrolled_vectors = self.lender.group_vectors(self.enrolled)
        cosines = self._enrolled_vectors @ self.lender.vectors[self.lender.index_by_id[face_id]]
        indexes = np.flatnonzero(cosines >= 0.2)
        similarities = self.lender.similarities(cosines[indexes].tolist())
        matches = [
            Match(self.enrolled[index], value) for index, value in zip(indexes.tolist(), similarities, strict=True)
        ]
        matches = [match for match in matches if match.similarity >= threshold and match.face_id != face_id]
        matches.sort(key=lambda match: -match.similarity)
        charge = Charge(Operation.SEARCH_FACES, 1, Decimal("0.001"))
        return NeighborList(face_id, tuple(matches[:limit]), len(matches) <= limit, (charge,))

    def remove(self, face_ids: Sequence[str]) -> set[str]:
        return set(face_ids)


class Library:
    """A copy of a scanned catalogue before enrollment."""

    def __init__(self, source: Path, work: Path) -> None:
        # Several measurements may be taken at once.
        self.path = work / f"copy-{os.getpid()}.sqlite3"
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(source, self.path)
        self.database: Database = open_database(str(self.path))
        self.engine = LocalEngine(self.database.engine)
        with self.database.begin() as connection:
            for table in (assignments, searches, matches, persons):
                connection.execute(delete(table))
            connection.execute(update(faces).values(gallery=LATER, scan_id=None))
            rows = connection.execute(
                select(
                    faces.c.face_id,
                    faces.c.photo_id,
                    faces.c.box_left,
                    faces.c.box_top,
                    faces.c.box_width,
                    faces.c.box_height,
                    locations.c.uri,
                )
                .join(photos, photos.c.id == faces.c.photo_id)
                .join(locations, locations.c.photo_id == photos.c.id)
                .order_by(faces.c.id)
            ).all()
        self.faces_of: dict[str, list[str]] = {}
        self.center: dict[str, str] = {}
        nearest: dict[str, float] = {}
        for face_id, _, left, top, width, height, uri in rows:
            photo = uri.partition("/photos/")[2]
            self.faces_of.setdefault(photo, []).append(face_id)
            away = (left + width / 2 - 0.5) ** 2 + (top + height / 2 - 0.5) ** 2
            if away < nearest.get(photo, np.inf):
                nearest[photo], self.center[photo] = away, face_id
        ids = [row.face_id for row in rows]
        self.lender = Meaning(ids, np.asarray(self.engine.group_vectors(ids)), self.engine)

    def enroll(self, face_ids: Sequence[str]) -> int:
        """Let a night enroll these photos; returns the scan's id."""
        ids = [face_id for photo in face_ids for face_id in self.faces_of.get(photo, [])]
        return self.enroll_faces(ids)

    def enroll_faces(self, ids: Sequence[str]) -> int:
        with self.database.begin() as connection:
            row = {
                "started_at": utc_text(NOW),
                "state": "running",
                "engine": "local",
                "gallery": "catalog",
                "model": "benchmark",
                "version": "0",
                "host": "",
                "pid": 1,
            }
            scan_id = int(connection.execute(insert(scans).returning(scans.c.id), row).scalar_one())
            for start in range(0, len(ids), 500):
                connection.execute(
                    update(faces)
                    .where(faces.c.face_id.in_(ids[start : start + 500]))
                    .values(gallery="catalog", scan_id=scan_id)
                )
        return scan_id

    def groups(self) -> dict[str, str]:
        """The person of the face nearest each photo's center."""
        query = (
            select(faces.c.face_id, persons.c.person_id)
            .join(assignments, assignments.c.face_id == faces.c.id)
            .join(persons)
        )
        with self.database.read() as connection:
            person = {row.face_id: row.person_id for row in connection.execute(query)}
        return {photo: person[face] for photo, face in self.center.items() if face in person}

    def company(self) -> dict[str, int]:
        """The person of every face."""
        with self.database.read() as connection:
            query = select(faces.c.face_id, assignments.c.person_id).join(
                assignments, assignments.c.face_id == faces.c.id
            )
            return {row.face_id: row.person_id for row in connection.execute(query)}

    def count(self) -> int:
        with self.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(faces).where(faces.c.gallery == "catalog")) or 0

    def close(self) -> None:
        self.database.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


def score(truth: Path, groups: dict[str, str], work: Path, photos_wanted: Sequence[str] | None = None) -> str:
    """The verdict of the project's own scorer; of some photos only, if asked so."""
    groups_csv, truth_csv = work / f"groups-{os.getpid()}.csv", work / f"truth-{os.getpid()}.csv"
    with truth.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if photos_wanted is None or row["photo"] in set(photos_wanted)]
    for path, columns, lines in (
        (truth_csv, ("photo", "person"), [(row["photo"], row["person"]) for row in rows]),
        (groups_csv, ("photo", "group"), list(groups.items())),
    ):
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([columns, *lines])
    command = [sys.executable, str(SHARED / "tools" / "score_people.py"), str(truth_csv), str(groups_csv)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
