"""The previous photo of a changed file, and the decisions on its faces."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete

from catalog.domain.charges import Operation
from catalog.domain.content_hash import sha256_of
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Content
from catalog.identities.decisions.forget import forget_person, purge_tombstoned_faces
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.decisions.replay import replay_decisions
from catalog.identities.decisions.undo import undo
from catalog.identities.decisions.verbs import confirm_face, merge_persons, split_person
from catalog.images.decode import open_image
from catalog.scanning.record_stage import Recorder
from catalog.scanning.run_scan import scan
from catalog.store.catalogued_faces import catalogued_faces_by_row, faces_of_person
from catalog.store.people import add_persons, find_person
from catalog.store.person_index import all_persons
from catalog.store.tables import assignments
from tests.fakes import Drawn, FakeEngine, FakeGallery, drawing_bytes, save_drawing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ME = DecisionStamp("me", NOW)

WHO = (
    "SELECT l.uri, p.person_id FROM locations l JOIN faces f ON f.photo_id = l.photo_id "
    "LEFT JOIN assignments s ON s.face_id = f.id LEFT JOIN persons p ON p.id = s.person_id "
    "WHERE l.missing_since IS NULL ORDER BY l.uri"
)


def confirmed(scanner, database, rows):
    """Persons of the folder's faces in the order of their files, each confirmed."""
    scanner()
    ids = [
        row
        for (row,) in rows(
            "SELECT min(f.id) FROM faces f JOIN locations l ON l.photo_id = f.photo_id "
            "GROUP BY f.id ORDER BY min(l.uri)"
        )
    ]
    with database.begin() as connection:
        people = add_persons(connection, len(ids), NOW)
        shown = catalogued_faces_by_row(connection, ids)
        for row, person in zip(ids, people, strict=True):
            confirm_face(connection, shown[row], person, ME)
        return [find_person(connection, person.person_id) for person in people]


def test_a_file_renamed_and_its_name_used_again_is_not_charged_twice(scanner, folder, rows):
    """z.png holds the content of a.png: known content at a new location keeps its face."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    face = rows("SELECT id, face_id FROM faces")
    photo.rename(folder / "z.png")
    save_drawing(folder / "a.png", [Drawn("bob")], note=7)
    for number in range(12):
        save_drawing(folder / f"m{number:02}.png", note=20 + number)
    scanner.engine.calls.clear()
    scanner(workers=1)
    assert scanner.engine.calls[Operation.INDEX_FACES] == 13  # so many photos are new
    assert face[0] in rows("SELECT id, face_id FROM faces")


def test_a_new_file_under_an_old_name_does_not_get_the_old_person(scanner, folder, database, rows):
    """The decision stays with the old content."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    (ann,) = confirmed(scanner, database, rows)
    photo.rename(folder / "z.png")
    save_drawing(folder / "a.png", [Drawn("bob")], note=7)
    scanner(workers=1)
    assert [person for _, person in rows(WHO)] == [None, ann.person_id]
    assert rows("SELECT count(*) FROM decisions") == [(1,)]


def test_two_files_that_swap_names_keep_their_people(scanner, folder, database, rows):
    """Decisions are keyed by content, and both contents exist."""
    a = save_drawing(folder / "a.png", [Drawn("ann")])
    b = save_drawing(folder / "b.png", [Drawn("bob")], note=7)
    ann, bob = confirmed(scanner, database, rows)
    a.rename(folder / "c")
    b.rename(folder / "a.png")
    (folder / "c").rename(folder / "b.png")
    scanner.engine.calls.clear()
    scanner()
    with database.begin() as connection:
        replay_decisions(connection, engine="fake", gallery="catalog", now=NOW)
    assert [person for _, person in rows(WHO)] == [bob.person_id, ann.person_id]
    assert scanner.engine.calls[Operation.INDEX_FACES] == 0


def test_a_tombstone_does_not_hold_in_another_known_photo(scanner, folder, database, rows):
    """A copy of a known photo over one with a forgotten face: the known one keeps its face."""
    a = save_drawing(folder / "a.png", [Drawn("ann")])
    b = save_drawing(folder / "b.png", [Drawn("bob")], note=7)
    ann, bob = confirmed(scanner, database, rows)
    forget_person(database, scanner.engine, ann, ME, gallery="catalog")
    shutil.copyfile(b, a)
    scanner()
    with database.begin() as connection:
        assert purge_tombstoned_faces(connection, engine="fake", gallery="catalog", now="2026") == []
    assert [person for _, person in rows(WHO)] == [bob.person_id] * 2


def test_a_scan_killed_before_it_released_photos_is_completed_by_the_next(scanner, folder, rows, monkeypatch):
    """A photo without location is found by a query."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    scanner()
    save_drawing(photo, [Drawn("bob")], note=7)

    def die(self, sources):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "release", die)
        with pytest.raises(KeyboardInterrupt):
            scanner()
    assert rows("SELECT count(*) FROM photos") == [(2,)]
    scanner()
    assert rows("SELECT count(*) FROM photos") == [(1,)]
    assert len(list(scanner.engine.enrolled())) == 1


@pytest.mark.parametrize("moved", [False, True])
def test_a_decision_follows_an_edit(scanner, folder, database, rows, moved):
    """Edited in place or after a move: the decision is carried to the new content, and the old photo is removed."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    (ann,) = confirmed(scanner, database, rows)
    if moved:
        photo = photo.rename(folder / "b.png")
        scanner()
    save_drawing(photo, [Drawn("ann")], note=9)
    scanner()
    assert [person for _, person in rows(WHO)] == [ann.person_id]
    assert rows("SELECT count(*) FROM photos") == [(1,)]


@pytest.mark.parametrize("moved", [False, True])
def test_a_forgotten_face_is_not_enrolled_again_after_an_edit(scanner, folder, database, rows, moved):
    """The tombstone is carried to the new content, also when the photo was moved before."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    (ann,) = confirmed(scanner, database, rows)
    if moved:
        photo = photo.rename(folder / "b.png")
        scanner()
    forget_person(database, scanner.engine, ann, ME, gallery="catalog")
    save_drawing(photo, [Drawn("ann")], note=9)
    scanner()
    with database.begin() as connection:
        scanner.engine.remove(purge_tombstoned_faces(connection, engine="fake", gallery="catalog", now="2026"))
    assert rows("SELECT count(*) FROM faces") == [(0,)]
    assert list(scanner.engine.enrolled()) == []


def test_an_edited_copy_of_a_photo_does_not_bring_a_forgotten_face_back(scanner, folder, database, rows):
    """The tombstone is carried to the edited photo although another copy exists."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    shutil.copyfile(photo, folder / "b.png")
    (ann,) = confirmed(scanner, database, rows)
    forget_person(database, scanner.engine, ann, ME, gallery="catalog")
    save_drawing(folder / "b.png", [Drawn("ann")], note=9)
    scanner()
    with database.begin() as connection:
        scanner.engine.remove(purge_tombstoned_faces(connection, engine="fake", gallery="catalog", now="2026"))
    assert list(scanner.engine.enrolled()) == []


def test_an_edit_that_is_copied_does_not_bring_a_forgotten_face_back(scanner, folder, database, rows):
    """The new content is found under a new name first. It is new under the old name too."""
    photo = save_drawing(folder / "b.png", [Drawn("ann")])
    (ann,) = confirmed(scanner, database, rows)
    forget_person(database, scanner.engine, ann, ME, gallery="catalog")
    save_drawing(photo, [Drawn("ann")], note=9)
    shutil.copyfile(photo, folder / "a.png")
    scanner(workers=1)
    with database.begin() as connection:
        scanner.engine.remove(purge_tombstoned_faces(connection, engine="fake", gallery="catalog", now="2026"))
    assert list(scanner.engine.enrolled()) == []


def test_copies_that_are_edited_alike_repeat_a_decision_once(scanner, folder, database, rows):
    """Two locations, one edit."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    shutil.copyfile(photo, folder / "b.png")
    (ann,) = confirmed(scanner, database, rows)
    for name in ("a.png", "b.png"):
        save_drawing(folder / name, [Drawn("ann")], note=9)
    scanner()
    assert [person for _, person in rows(WHO)] == [ann.person_id] * 2
    assert rows("SELECT count(*) FROM decisions") == [(2,)]


class Bucket:
    """Objects in memory, listed by key."""

    uri = "s3://family/"

    def __init__(self, **objects):
        self.objects = objects

    def list(self):
        for key, data in sorted(self.objects.items()):
            yield PhotoRef(f"{self.uri}{key}.png", len(data), 1, sha256_of(data))

    def open(self, ref):
        return Content(self.objects[ref.uri.removeprefix(self.uri).removesuffix(".png")])


@pytest.mark.parametrize(("old", "new"), [("a", "z"), ("z", "a")])
def test_an_object_with_a_new_key_counts_as_moved(database, old, new):
    """Its old location is believed until the listing is complete. A copy beside it stays a duplicate."""
    ann, bob = (drawing_bytes([Drawn(name)], format="PNG") for name in ("ann", "bob"))
    gallery = FakeGallery()

    def run(bucket):
        *_, summary = scan(
            [bucket],
            database=database,
            engine=FakeEngine(gallery),
            open_photo=open_image,
            after_scan=lambda scan_id, summary: None,
            gallery="catalog",
            version="test",
            workers=2,
        )
        return summary.counts()

    assert run(Bucket(**{old: ann, "m": bob}))["new"] == 2
    counts = run(Bucket(**{new: ann, "m": bob, "n": bob}))
    assert (counts["moved"], counts["duplicate"], counts["unchanged"]) == (1, 1, 1)


def test_undo_reverts_a_decision_with_its_copies_for_new_content(scanner, folder, database, rows):
    """One undo reverts a decision and its copies: the face is unassigned, also after a replay."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    (ann,) = confirmed(scanner, database, rows)
    for note in (9, 10):
        save_drawing(photo, [Drawn("ann")], note=note)
        scanner()
    assert [person for _, person in rows(WHO)] == [ann.person_id]
    with database.begin() as connection:
        number, _ = undo(connection, None, ME)
        replay_decisions(connection, engine="fake", gallery="catalog", now=NOW)
    assert rows("SELECT count(*) FROM assignments") == [(0,)]
    with database.begin() as connection:
        undo(connection, number, ME)
        replay_decisions(connection, engine="fake", gallery="catalog", now=NOW)
    assert [person for _, person in rows(WHO)] == [ann.person_id]


def test_equal_decisions_are_undone_one_by_one(scanner, folder, database, rows):
    """Two decisions on one face at the same time, each with its copy: one undo reverts one of them."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    (ann,) = confirmed(scanner, database, rows)
    ((row,),) = rows("SELECT id FROM faces")
    with database.begin() as connection:
        confirm_face(connection, catalogued_faces_by_row(connection, [row])[row], ann, ME)
    save_drawing(photo, [Drawn("ann")], note=9)
    scanner()
    in_force = "SELECT count(*) FROM decisions WHERE undone_by IS NULL AND verb = 'confirm'"
    assert rows(in_force) == [(4,)]
    for left, person in ((2, ann.person_id), (0, None)):
        with database.begin() as connection:
            undo(connection, None, ME)
        assert rows(in_force) == [(left,)]
        assert [shown for _, shown in rows(WHO)] == [person]


def test_a_deep_path_of_long_names_is_skipped_with_a_reason(scanner, folder, rows):
    """Linux allows a path of 1,200 Japanese letters, an index of PostgreSQL does not. The other photo is catalogued."""
    chance = random.Random(1)
    deep = folder
    for _ in range(15):
        deep = deep / "".join(chr(chance.randint(0x4E00, 0x9FA0)) for _ in range(80))
    save_drawing(deep / "a.png", [Drawn("ann")])
    save_drawing(folder / "b.png", [Drawn("bob")], note=1)
    scanner()
    assert scanner.kinds() == {"a.png": "skipped", "b.png": "new"}
    ((reason,),) = rows("SELECT reason FROM problems")
    assert "is too long" in reason


@pytest.mark.parametrize("same_photo", [False, True])
def test_a_split_or_a_mirror_follows_an_edit(scanner, folder, database, rows, same_photo):
    """A decision on several faces is carried to the same faces of the new content, until it is undone."""
    photo = save_drawing(folder / "a.png", [Drawn("ann"), Drawn("ann", left=140)])
    save_drawing(folder / "b.png", [Drawn("ann")], note=7)
    first, *_ = confirmed(scanner, database, rows)
    with database.begin() as connection:
        everyone = [row for row in all_persons(connection) if row.merged_into is None]
        if same_photo:
            merge_persons(connection, everyone[0], everyone[1], ME, same_photo=True)
            wanted = [first.person_id, first.person_id]
        else:
            merge_persons(connection, everyone[0], everyone[2], ME)
            parted = [row for row in faces_of_person(connection, first) if row.uri.endswith("a.png")]
            _, new_person = split_person(connection, first, parted, ME)
            wanted = sorted([new_person.person_id, everyone[1].person_id])
    save_drawing(photo, [Drawn("ann"), Drawn("ann", left=140)], note=9)
    scanner()
    condition = (
        "SELECT p.person_id FROM assignments a JOIN persons p ON p.id = a.person_id JOIN faces f ON f.id = a.face_id "
        "JOIN locations l ON l.photo_id = f.photo_id WHERE substr(l.uri, length(l.uri) - 4) = 'a.png' ORDER BY 1"
    )
    with database.begin() as connection:
        connection.execute(delete(assignments))
        replay_decisions(connection, engine="fake", gallery="catalog", now=NOW)
    assert [person for (person,) in rows(condition)] == wanted
    with database.begin() as connection:
        undo(connection, None, ME)
        connection.execute(delete(assignments))
        replay_decisions(connection, engine="fake", gallery="catalog", now=NOW)
    assert [person for (person,) in rows(condition)] != wanted


def test_a_photo_without_a_date_has_that_of_its_name(scanner, folder, rows):
    """The date is recorded with its source and its precision; a file that names none has none."""
    save_drawing(folder / "IMG-20200101-WA0001.png", [Drawn("ann")])
    save_drawing(folder / "IMG_20190704_153012.png", [Drawn("ann")], note=1)
    save_drawing(folder / "DSC_2019.png", [Drawn("ann")], note=2)
    scanner()
    assert rows("SELECT taken_at, taken_at_source, taken_at_precision FROM v1_photos ORDER BY uri") == [
        (None, None, None),
        ("2020-01-01T00:00:00.000000Z", "file_name", "day"),
        ("2019-07-04T15:30:12.000000Z", "file_name", "second"),
    ]
