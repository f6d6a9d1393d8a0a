"""Random histories of decisions against an oracle: how many promises break.

Each history is a sequence of names, births, merges, splits, confirmations, rejections, undos, forgets, edited and
returning photos and imports, in two galleries, with scans in between. After every scan the rows are compared with the
oracle, which shares no code with the decision log.

    python -m tests.benchmarks.random_histories --histories 200 --steps 60
    python -m tests.benchmarks.random_histories --postgresql                  # on a server that is started for it
    python -m tests.benchmarks.random_histories --database postgresql://...   # its schema public is dropped
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, create_engine, text

from catalog.domain.errors import CatalogError, PersonError
from catalog.domain.faces import BoundingBox
from catalog.identities.assignment.assign_people import AssignmentResult, assign_people
from catalog.identities.decisions import verbs
from catalog.identities.decisions.forget import forget_person
from catalog.identities.decisions.import_labels import import_labels
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.decisions.undo import undo
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row, faces_of_person
from catalog.store.database import Database, open_database
from catalog.store.database_address import parse_address
from catalog.store.edited_photos import carry_decisions_over
from catalog.store.labels_file import export_labels, labels_json, parse_labels
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow
from catalog.store.photo_removal import remove_photos
from tests.benchmarks.crash import postgresql
from tests.benchmarks.decision_oracle import Face, Operation, Oracle, Promises
from tests.identities.made_library import (
    NOW,
    RULES,
    LendingGallery,
    Shot,
    VectorGallery,
    boxes_for,
    digest,
    enroll,
    people,
    vector_near,
)

PERSONS = 5
PHOTOS = 24
SHIFT = 0.004
"""Offset of the boxes of the second gallery, as a fraction of the photo."""

LOGINS = ("ada", "grace")
STAMP = DecisionStamp("benchmark", NOW)
"""The stamp of imports."""


@dataclass
class Broken:
    """A promise that the rows do not keep."""

    seed: int
    step: int
    promise: str
    text: str


class History:
    """One catalogue with its oracle."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database = database
        self.seed = seed
        self.random = np.random.default_rng(seed)
        self.oracle = Oracle()
        self.galleries: tuple[VectorGallery, VectorGallery] = (LendingGallery(), VectorGallery())
        self.shots = self._shots()
        self.version = dict.fromkeys(self.shots, 0)
        self.away: set[str] = set()
        self.broken: list[Broken] = []
        self.counts: Counter[str] = Counter()
        self.step = 0
        self.stamp = STAMP

    def _shots(self) -> dict[str, tuple[Shot, Shot]]:
        centers = [people(PERSONS, np.random.default_rng(self.seed + offset), 64) for offset in (0, 1)]
        shots = {}
        for number in range(PHOTOS):
            shown = self.random.choice(PERSONS, size=int(self.random.integers(1, 3)), replace=False)
            boxes = boxes_for(len(shown))
            moved = [replace(box, left=box.left + SHIFT) for box in boxes]
            shots[f"{number}"] = tuple(
                Shot(f"{number}", [vector_near(centers[side][person], 0.85, self.random) for person in shown], drawn)
                for side, drawn in ((0, boxes), (1, moved))
            )
        return shots  # type: ignore[return-value]  # two shots a photo

    def run(self, steps: int) -> None:
        self._enroll(list(self.shots))
        self._scan()
        for self.step in range(1, steps + 1):
            self.stamp = replace(STAMP, who=str(self.random.choice(LOGINS)))
            choice = int(self.random.integers(0, len(STEPS)))
            name, action = STEPS[choice]
            try:
                action(self)
                self.counts[name] += 1
            except (PersonError, IndexError):
                self.counts["refused"] += 1
            except CatalogError:
                self.counts["refused"] += 1
            if self.step % 5 == 0:
                self._scan()
        self._scan()
        self._compare_second_catalogue()

    # ------------------------------------------------------------------------------------------------ steps

    def name(self) -> None:
        with self.database.begin() as connection:
            person = self._person(connection)
            value = f"Name {self.random.integers(0, 4)}" if self.random.random() < 0.9 else None
            number = verbs.name_person(connection, person, value, self.stamp)
        self._add(Operation(number, "name", person.person_id, value=value))

    def hide(self) -> None:
        with self.database.begin() as connection:
            person = self._person(connection)
            number = verbs.set_hidden(connection, person, not person.hidden, self.stamp)
        self._add(Operation(number, "hide", person.person_id, value=not person.hidden))

    def birth(self) -> None:
        with self.database.begin() as connection:
            person = self._person(connection)
            day = date(1950 + int(self.random.integers(0, 60)), 5, 17)
            number = verbs.set_birth_date(connection, person, day, self.stamp)
        self._add(Operation(number, "born", person.person_id, value=day.isoformat()))

    def merge(self) -> None:
        with self.database.begin() as connection:
            canonical, merged = self._pair_to_merge(connection)
            ended = {
                self._label(face) for person in (canonical, merged) for face in faces_of_person(connection, person)
            }
            number = verbs.merge_persons(connection, canonical, merged, self.stamp)
            promises = self.oracle.promises()
        rejected = {face for face, person in promises.not_person if person in (canonical.person_id, merged.person_id)}
        decided = tuple(sorted(rejected & ended))
        operation = Operation(number, "merge", canonical.person_id, merged.person_id, faces=decided, ended=tuple(ended))
        self._add(operation)

    def _pair_to_merge(self, connection: Connection) -> tuple[PersonRow, PersonRow]:
        """Choose two persons, in every second merge a pair of which a face of the one was rejected as the other."""
        if self.random.random() < 0.5:
            holders = {face: person for face, _, person, _ in self._rows(connection) if person is not None}
            pairs = sorted(
                (rejected, holders[face])
                for face, rejected in self.oracle.promises().not_person
                if face in holders and holders[face] != rejected
            )
            if pairs:
                rejected, holder = pairs[int(self.random.integers(0, len(pairs)))]
                return find_person(connection, rejected), find_person(connection, holder)
        return self._person(connection), self._person(connection)

    def split(self) -> None:
        with self.database.begin() as connection:
            person = self._person(connection)
            parted = self._one_of(faces_of_person(connection, person))
            number, new_person = verbs.split_person(connection, person, [parted], self.stamp)
        faces = (self._label(parted),)
        self._add(Operation(number, "split", person.person_id, new_person.person_id, faces=faces))

    def separate(self) -> None:
        with self.database.begin() as connection:
            left, right = self._person(connection), self._person(connection)
            number = verbs.separate_persons(connection, left, right, self.stamp)
        self._add(Operation(number, "apart", left.person_id, right.person_id))

    def confirm(self) -> None:
        with self.database.begin() as connection:
            face, person = self._face(connection), self._person(connection)
            number = verbs.confirm_face(connection, face, person, self.stamp)
        self._add(Operation(number, "confirm", person.person_id, faces=(self._label(face),)))

    def reject(self) -> None:
        with self.database.begin() as connection:
            person = self._person(connection)
            face = self._one_of(faces_of_person(connection, person))
            number = verbs.reject_face(connection, face, person, self.stamp)
        self._add(Operation(number, "reject", person.person_id, faces=(self._label(face),)))

    def not_a_face(self) -> None:
        with self.database.begin() as connection:
            face = self._face(connection)
            number = verbs.mark_not_a_face(connection, face, self.stamp)
        self._add(Operation(number, "not_a_face", faces=(self._label(face),)))

    def undo_last(self) -> None:
        numbers = [
            operation.number
            for operation in self.oracle.operations
            if operation.undone_by is None and operation.verb != "undo"
        ]
        self._undo(numbers[-1])

    def undo_any(self) -> None:
        numbers = [operation.number for operation in self.oracle.operations if operation.undone_by is None]
        self._undo(self._one_of(numbers))

    def undo_of_login(self) -> None:
        """The last decision of a user that is in force; decisions of the other user stay."""
        login = str(self.random.choice(LOGINS))
        numbers = [
            operation.number
            for operation in self.oracle.operations
            if operation.undone_by is None and operation.verb != "undo" and operation.login == login
        ]
        expected = sorted(numbers)[-1]
        with self.database.begin() as connection:
            by, decision = undo(connection, None, self.stamp, decided_by=login)
        if decision.number != expected:
            self._break("undo", f"decision {decision.number} of {login} was undone and not {expected}")
        self.oracle.undo(decision.number, by)

    def _undo(self, number: int) -> None:
        with self.database.begin() as connection:
            by, _ = undo(connection, number, self.stamp)
        self.oracle.undo(number, by)

    def forget(self) -> None:
        if self.random.random() < 0.7:
            raise IndexError("forgets are rare")
        side = int(self.random.integers(0, 2))
        gallery = self.galleries[side]
        with self.database.read() as connection:
            person = self._person(connection)
            faces = {self._label(face) for face in faces_of_person(connection, person)}
            ids = set(
                connection.scalars(text("SELECT person_id FROM persons WHERE merged_into = :id"), {"id": person.id})
            )
        forget_person(self.database, gallery, person, self.stamp, gallery="catalog")
        self.oracle.forget({person.person_id, *ids}, faces)

    def edit(self) -> None:
        """The photo's file changes; its faces stay where they are."""
        photo = self._one_of([name for name in self.shots if name not in self.away])
        old = self._content(photo)
        self.version[photo] += 1
        self._enroll([photo])
        with self.database.begin() as connection:
            rows = [
                connection.scalar(text("SELECT id FROM photos WHERE sha256 = :sha256"), {"sha256": sha256})
                for sha256 in (old, self._content(photo))
            ]
            if None not in rows:
                carry_decisions_over(connection, int(rows[0] or 0), int(rows[1] or 0))
                remove_photos(connection, [int(rows[0] or 0)], engine="none", gallery="", now=NOW)

    def leave(self) -> None:
        """The photo leaves the catalogue, or returns."""
        if self.away and self.random.random() < 0.6:
            photo = self._one_of(sorted(self.away))
            self.away.discard(photo)
            self._enroll([photo])
            return
        photo = self._one_of([name for name in self.shots if name not in self.away])
        with self.database.begin() as connection:
            query = text("SELECT id FROM photos WHERE sha256 = :sha256")
            row = connection.scalar(query, {"sha256": self._content(photo)})
            if row is not None:
                remove_photos(connection, [row], engine="none", gallery="", now=NOW)
        self.away.add(photo)

    def reimport(self) -> None:
        """A labels file is imported where it was made."""
        with self.database.begin() as connection:
            labels = parse_labels(labels_json(export_labels(connection, NOW)), "labels")
            before = self._people(connection)
            import_labels(connection, labels, STAMP, engine="local", gallery="catalog")
            if self._people(connection) != before:
                self._break("import", "an import where the file was made changed persons")

    # ------------------------------------------------------------------------------------------------ scans

    def _enroll(self, names: list[str]) -> None:
        for side, gallery in enumerate(self.galleries):
            shots = [replace(self.shots[name][side], name=self._file(name)) for name in names]
            enroll(self.database, gallery, shots)
        with self.database.begin() as connection:  # as a scan does for a face that is enrolled again
            connection.execute(text("DELETE FROM removals WHERE face_id IN (SELECT face_id FROM faces)"))

    def _scan(self) -> None:
        for gallery in self.galleries:
            result = _assign(self.database, gallery)
            for count in ("churn", "persons_deleted", "conflicts"):
                if getattr(result, count):
                    self._break(count, f"{count} {getattr(result, count)} in {gallery.name}")
        with self.database.read() as connection:
            self._compare(connection, self.oracle.promises())

    def _compare(self, connection: Connection, promises: Promises) -> None:
        redirect = self._redirects(connection)
        for face, gallery, person, is_no_face in self._rows(connection):
            where = f"face {face} in {gallery}"
            if face in self.oracle.forgotten_faces:
                self._break("forget", f"{where} is enrolled although it was forgotten")
                continue
            promised = promises.person.get(face)
            if is_no_face != (face in promises.not_faces):
                self._break("not a face", f"{where}: not_a_face is {is_no_face}")
            elif promised is not None and redirect.get(person or "") != redirect.get(promised, promised):
                self._break("confirm", f"{where} is {person} and not {promised}")
            elif any(
                face == rejected_face and person == rejected_person
                for rejected_face, rejected_person in promises.not_person
            ):
                self._break("reject", f"{where} is {person}, who was rejected")
        for number in self.oracle.reused_numbers:
            self._break("number", f"two decisions had the number {number}")
        self._compare_persons(connection, promises, redirect)

    def _compare_persons(self, connection: Connection, promises: Promises, redirect: dict[str, str]) -> None:
        rows = {row[0]: row for row in self._people(connection)}
        for person in self.oracle.forgotten_persons & rows.keys():
            self._break("forget", f"{person} is there although it was forgotten")
        for person, end in promises.merged.items():
            if person in rows and redirect[person] != redirect.get(promises.end_of(end), ""):
                self._break("merge", f"{person} redirects to {redirect[person]} and not to {end}")
        for pair in promises.apart:
            left, right = sorted(pair)
            if left in rows and right in rows and redirect[left] == redirect[right]:
                self._break("apart", f"{left} and {right} are one person")
        for column, values in ((1, promises.name), (2, promises.hidden), (3, promises.born)):
            for person, value in values.items():
                if person in rows and redirect[person] == person and (rows[person][column] or None) != (value or None):
                    self._break("person", f"{person} has {rows[person][column]} and not {value}")

    def _compare_second_catalogue(self) -> None:
        """Restore the labels into an empty catalogue with the same photos: the same promises hold there."""
        with self.database.read() as connection:
            labels = parse_labels(labels_json(export_labels(connection, NOW)), "labels")
        with tempfile.TemporaryDirectory() as folder:
            database = open_database(str(Path(folder) / "second.sqlite3"))
            try:
                second = History(database, self.seed)
                second.oracle, second.shots, second.version = self.oracle, self.shots, self.version
                second.step, second.broken = self.step, self.broken
                with database.begin() as connection:
                    import_labels(connection, labels, STAMP, engine="local", gallery="catalog")
                second._enroll([name for name in self.shots if name not in self.away])
                for gallery in second.galleries:
                    _assign(database, gallery)
                with database.read() as connection:
                    second._compare(connection, self.oracle.promises())
            finally:
                database.close()

    # ------------------------------------------------------------------------------------------------ helpers

    def _add(self, operation: Operation) -> None:
        self.oracle.add(replace(operation, login=self.stamp.who))

    def _break(self, promise: str, message: str) -> None:
        self.broken.append(Broken(self.seed, self.step, promise, message))

    def _one_of(self, items: list) -> object:  # type: ignore[type-arg]  # any list
        return items[int(self.random.integers(0, len(items)))] if items else items[0]

    def _person(self, connection: Connection) -> PersonRow:
        ids = connection.scalars(
            text("SELECT person_id FROM persons WHERE merged_into IS NULL ORDER BY person_id")
        ).all()
        return find_person(connection, str(self._one_of(list(ids))))

    def _face(self, connection: Connection) -> CataloguedFace:
        row = self._one_of(list(connection.scalars(text("SELECT id FROM faces ORDER BY id"))))
        return catalogued_faces_by_row(connection, [int(str(row))])[int(str(row))]

    def _file(self, photo: str) -> str:
        return f"{photo}.{self.version[photo]}"

    def _content(self, photo: str) -> str:
        return digest(self._file(photo))

    def _label(self, face: CataloguedFace) -> Face:
        return self._label_of(face.sha256, face.box)

    def _label_of(self, sha256: str, box: BoundingBox) -> Face:
        photo = next(name for name in self.shots if self._content(name) == sha256)
        boxes = self.shots[photo][0].boxes or ()
        return photo, max(range(len(boxes)), key=lambda number: boxes[number].iou(box))

    def _rows(self, connection: Connection) -> list[tuple[Face, str, str | None, bool]]:
        query = text(
            "SELECT p.sha256, f.box_left, f.box_top, f.box_width, f.box_height, f.engine, w.person_id, f.not_a_face"
            " FROM faces f JOIN photos p ON p.id = f.photo_id LEFT JOIN assignments a ON a.face_id = f.id"
            " LEFT JOIN persons w ON w.id = a.person_id"
        )
        return [
            (self._label_of(sha256, BoundingBox(*box)), engine, person, bool(is_no_face))
            for sha256, *box, engine, person, is_no_face in connection.execute(query)
        ]

    def _people(self, connection: Connection) -> list[tuple[str, str | None, bool, str | None]]:
        query = text("SELECT person_id, name, hidden, birth_date FROM persons ORDER BY person_id")
        return [(row[0], row[1], bool(row[2]), row[3]) for row in connection.execute(query)]

    def _redirects(self, connection: Connection) -> dict[str, str]:
        rows = {
            row[0]: (row[1], row[2])
            for row in connection.execute(text("SELECT id, person_id, merged_into FROM persons"))
        }
        snapshot = {}
        for row, (person, _) in rows.items():
            end = row
            while rows[end][1] is not None:
                end = rows[end][1]
            snapshot[person] = rows[end][0]
        return snapshot


STEPS: tuple[tuple[str, Callable[[History], None]], ...] = (
    ("name", History.name),
    ("name", History.name),
    ("hide", History.hide),
    ("birth", History.birth),
    ("merge", History.merge),
    ("merge", History.merge),
    ("split", History.split),
    ("separate", History.separate),
    ("confirm", History.confirm),
    ("confirm", History.confirm),
    ("reject", History.reject),
    ("reject", History.reject),
    ("not_a_face", History.not_a_face),
    ("undo", History.undo_last),
    ("undo", History.undo_any),
    ("undo of a login", History.undo_of_login),
    ("forget", History.forget),
    ("edit", History.edit),
    ("leave", History.leave),
    ("import", History.reimport),
)


def _assign(database: Database, gallery: VectorGallery) -> AssignmentResult:
    return assign_people(database, gallery, RULES, gallery="catalog", scan_id=None, now=NOW)


def _new_database(address: str | None, folder: str) -> Database:
    if address is None:
        return open_database(str(Path(folder) / "catalog.sqlite3"))
    engine = create_engine(parse_address(address))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return open_database(address)


def main() -> int:
    parser = argparse.ArgumentParser(description="Random histories of decisions against an oracle.")
    parser.add_argument("--histories", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--database", help="a PostgreSQL address; its schema public is dropped before every history")
    parser.add_argument("--postgresql", action="store_true", help="start a PostgreSQL server and use its database")
    options = parser.parse_args()
    if not options.postgresql:
        return run(options, options.database)
    with tempfile.TemporaryDirectory(prefix="pg") as folder, postgresql(Path(folder)) as address:
        return run(options, address)


def run(options: argparse.Namespace, address: str | None) -> int:
    """Run the histories and print the counts. Returns the exit code: 1 if a promise is broken."""
    broken: list[Broken] = []
    counts: Counter[str] = Counter()
    start = time.monotonic()
    for seed in range(options.first_seed, options.first_seed + options.histories):
        with tempfile.TemporaryDirectory() as folder:
            database = _new_database(address, folder)
            try:
                history = History(database, seed)
                history.run(options.steps)
            finally:
                database.close()
        broken += history.broken
        counts += history.counts
    for line in broken[:20]:
        print(f"seed {line.seed}, step {line.step}: {line.promise}: {line.text}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    print(f"{options.histories} histories of {options.steps} steps in {time.monotonic() - start:.0f} s: {kinds}")
    print(f"broken promises: {len(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
