"""The watch list: a check reports a hit once, and a human reviews it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, func, select

from catalog.domain.charges import Operation
from catalog.domain.content_hash import sha256_of
from catalog.domain.engine import MAX_MATCHES
from catalog.domain.errors import LimitReached, NoFaceError, UsageError
from catalog.domain.faces import BoundingBox, SearchResult
from catalog.domain.opened_photo import OpenedPhoto
from catalog.identities.decisions.verbs import mark_not_a_face
from catalog.identities.matching.watch_hits import WatchHit, read_hits, review_hit
from catalog.identities.matching.watch_list import add_watch, check_watches, list_watches, remove_watch
from catalog.store import watch_rows
from catalog.store.database import Database
from catalog.store.faces import record_enrollment
from catalog.store.photos import record_photo
from catalog.store.tables import charges, faces, watch_hits, watch_references
from catalog.store.upsert import batches
from catalog.store.watch_searches import count_references
from tests.fakes import PEOPLE, Drawn, FakeEngine, drawing_bytes, shade
from tests.identities.decided_catalogue import STAMP
from tests.identities.drawn_photos import NOW, open_drawing, reference


def catalog_drawing(database: Database, engine: FakeEngine, *drawn: Drawn, note: int = 0, now: datetime = NOW) -> None:
    data = drawing_bytes(drawn, note=note)
    photo, sha256 = open_drawing(data), sha256_of(data)
    enrollment = engine.enroll(photo, sha256)
    with database.begin() as connection:
        row = record_photo(connection, sha256, len(data), photo, NOW)
        record_enrollment(
            connection,
            row,
            enrollment,
            engine=engine.name,
            gallery="catalog",
            model=engine.model,
            scan_id=None,
            now=now,
        )


def check(database: Database, engine: FakeEngine, *, skip_searched: bool = False) -> list[WatchHit]:
    hits, _ = check_watches(
        database, engine, open_drawing, gallery="catalog", scan_id=None, now=NOW, skip_searched=skip_searched
    )
    return hits


def test_check_reports_only_new_hits(database: Database) -> None:
    """The first check finds Ann once. The second reports nothing. The third reports only the new photo of Ann."""
    engine = FakeEngine()
    catalog_drawing(database, engine, Drawn("ann", left=20), Drawn("bob", left=150))
    add_watch(database, engine, "Ann", [reference("ann")], [], STAMP)
    (hit,) = check(database, engine)
    assert (hit.watch, hit.state, hit.margin) == ("Ann", "open", None)
    assert hit.similarity > 99
    assert check(database, engine) == []
    catalog_drawing(database, engine, Drawn("ann", left=60), note=1)
    assert len(check(database, engine)) == 1
    assert len(read_hits(database)) == 2


def test_a_lookalike_is_a_hit_with_a_margin_or_no_hit(light_database: Database) -> None:
    """A face nearer to a negative reference is no hit. A face nearer to Ann is a hit with a margin."""
    engine = FakeEngine()
    twin = shade("ann", 90)
    catalog_drawing(light_database, engine, Drawn("ann", left=20), Drawn(twin, left=150))
    negative = open_drawing(drawing_bytes([Drawn(twin)]))
    add_watch(light_database, engine, "Ann", [reference("ann")], [negative], STAMP, threshold=85)
    (hit,) = check(light_database, engine)
    assert hit.margin is not None
    assert 5 < hit.margin < 15


def test_a_reviewed_hit_stays_reviewed(light_database: Database) -> None:
    """A dismissed hit does not open again at the next check. The catalogue keeps the reviewer."""
    engine = FakeEngine()
    catalog_drawing(light_database, engine, Drawn("ann"))
    add_watch(light_database, engine, "Ann", [reference("ann")], [], STAMP)
    (hit,) = check(light_database, engine)
    with light_database.begin() as connection:
        review_hit(connection, hit.number, "dismissed", STAMP)
        with pytest.raises(UsageError, match="no hit 99"):
            review_hit(connection, 99, "confirmed", STAMP)
    assert check(light_database, engine) == []
    assert [(hit.state, hit.reviewed_by) for hit in read_hits(light_database)] == [("dismissed", "tester")]
    assert list_watches(light_database)[0].open_hits == 0


def test_removing_takes_references_and_hits_along(light_database: Database) -> None:
    """No biometric data remains, and the name is free again."""
    engine = FakeEngine()
    catalog_drawing(light_database, engine, Drawn("ann"))
    add_watch(light_database, engine, "Ann", [reference("ann")], [], STAMP)
    check(light_database, engine)
    with pytest.raises(UsageError, match="already"):
        add_watch(light_database, engine, "Ann", [reference("bob")], [], STAMP)
    with light_database.begin() as connection:
        remove_watch(connection, "Ann")
        for table in (watch_references, watch_hits):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
        with pytest.raises(UsageError, match="not on the watch list"):
            remove_watch(connection, "Ann")


def test_a_reference_without_a_face_is_refused(light_database: Database) -> None:
    """The watch list holds no person without a face."""
    with pytest.raises(NoFaceError):
        add_watch(light_database, FakeEngine(), "Ann", [open_drawing(drawing_bytes())], [], STAMP)
    assert list_watches(light_database) == []


class Blind(FakeEngine):
    """Finds no face in a crop of Bob, as another engine or a newer model may. The search is charged all the same."""

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> SearchResult:
        answer = super().search(photo, threshold, limit, box)
        middle = np.asarray(photo.pixels)[photo.height // 2, photo.width // 2]
        if np.abs(middle - np.array(PEOPLE["bob"])).max() < 20:
            raise NoFaceError("The photo shows no face.", charges=answer.charges)
        return answer


def test_a_reference_in_which_the_engine_finds_no_face_is_left_out(
    light_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The check searches the other references and the other persons. The log holds no names."""
    engine = Blind(dollars=Decimal("0.001"))
    catalog_drawing(light_database, engine, Drawn("ann", left=20), Drawn("eve", left=150))
    add_watch(light_database, engine, "Aaron", [reference("bob")], [], STAMP)
    add_watch(light_database, engine, "Ann", [reference("bob"), reference("ann")], [], STAMP)
    add_watch(light_database, engine, "Zoe", [reference("eve")], [], STAMP)
    assert {hit.watch for hit in check(light_database, engine)} == {"Ann", "Zoe"}
    assert [record.getMessage() for record in caplog.records] == [
        f"Skipped {share} references of watch list entry {entry}: the engine finds no face on them."
        for share, entry in (("1 of 1", 1), ("1 of 2", 2))
    ]
    assert paid(light_database)["SearchFacesByImage"] == 4


def test_check_reports_new_hits_newest_first(light_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check reads the hits in batches."""
    monkeypatch.setattr(watch_rows, "batches", lambda items: batches(items, 2))
    engine = FakeEngine()
    add_watch(light_database, engine, "Ann", [reference("ann")], [], STAMP)
    for number in range(2):
        for note in range(5):
            catalog_drawing(light_database, engine, Drawn("ann", left=20), note=10 * number + note)
        numbers = [hit.number for hit in check(light_database, engine)]
        assert len(numbers) == 5
        assert numbers == sorted(numbers, reverse=True)


def paid(database: Database) -> dict[str, int]:
    """The number of calls charged to the command `watch`, by operation."""
    query = select(charges.c.operation, func.sum(charges.c.calls)).where(charges.c.command == "watch")
    with database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query.group_by(charges.c.operation))}


def test_searches_of_a_check_are_charged(light_database: Database) -> None:
    """A check charges one search per reference, under the name of the command."""
    engine = FakeEngine(dollars=Decimal("0.001"))
    catalog_drawing(light_database, engine, Drawn("ann"))
    add_watch(light_database, engine, "Ann", [reference("ann"), reference("ann")], [], STAMP)
    check(light_database, engine)
    assert paid(light_database) == {"DetectFaces": 2, "SearchFacesByImage": 2}


def searches_of_a_scan(database: Database, engine: FakeEngine) -> tuple[int, list[str]]:
    """Searches that the check of a scan makes, and the entries with new hits. The plan must say the same number."""
    with database.read() as connection:
        _, planned = count_references(connection, engine.name, "catalog")
    before = engine.calls[Operation.SEARCH_FACES_BY_IMAGE]
    hits = check(database, engine, skip_searched=True)
    searches = engine.calls[Operation.SEARCH_FACES_BY_IMAGE] - before
    assert searches == planned
    return searches, sorted(hit.watch for hit in hits)


def test_a_scan_searches_for_new_entries_and_among_new_faces(database: Database) -> None:
    """A scan that changes neither the list nor the faces of the gallery searches for no one."""
    engine = FakeEngine()
    catalog_drawing(database, engine, Drawn("ann", left=20), Drawn("bob", left=150))
    add_watch(database, engine, "Ann", [reference("ann"), reference("ann")], [], STAMP)
    assert searches_of_a_scan(database, engine) == (2, ["Ann"])
    assert searches_of_a_scan(database, engine) == (0, [])
    add_watch(database, engine, "Bob", [reference("bob")], [], STAMP)
    assert searches_of_a_scan(database, engine) == (1, ["Bob"])
    catalog_drawing(database, engine, Drawn("bob", left=20), note=1)
    assert searches_of_a_scan(database, engine) == (3, ["Bob"])
    assert searches_of_a_scan(database, engine) == (0, [])
    before = engine.calls[Operation.SEARCH_FACES_BY_IMAGE]
    assert check(database, engine) == []
    assert engine.calls[Operation.SEARCH_FACES_BY_IMAGE] - before == 3  # `watch check` searches for all
    engine.name = "other"
    assert searches_of_a_scan(database, engine) == (3, [])


def test_a_face_with_the_row_id_of_a_deleted_face_is_searched(database: Database) -> None:
    """SQLite gives the id of the last row again after its deletion."""
    engine = FakeEngine()
    catalog_drawing(database, engine, Drawn("bob"))
    add_watch(database, engine, "Ann", [reference("ann")], [], STAMP)
    assert searches_of_a_scan(database, engine) == (1, [])
    with database.begin() as connection:
        connection.execute(delete(faces))
    catalog_drawing(database, engine, Drawn("ann"), note=1, now=NOW + timedelta(microseconds=1))
    assert searches_of_a_scan(database, engine) == (1, ["Ann"])


def test_a_check_that_ended_early_continues_with_the_next_entry(light_database: Database) -> None:
    """Entries that were searched for are not searched for again. An entry with a failed search is."""
    engine = FakeEngine(dollars=Decimal("0.001"))
    catalog_drawing(light_database, engine, Drawn("ann", left=20), Drawn("bob", left=150))
    add_watch(light_database, engine, "Ann", [reference("ann")], [], STAMP)
    add_watch(light_database, engine, "Bob", [reference("bob"), reference("bob")], [], STAMP)
    search, allowed = engine.search, [True, True]

    def limited(*arguments: Any, **options: Any) -> SearchResult:
        if not allowed:
            raise LimitReached("The limit is reached.")
        allowed.pop()
        return search(*arguments, **options)

    engine.search = limited  # type: ignore[method-assign]
    with pytest.raises(LimitReached):
        check(light_database, engine, skip_searched=True)
    engine.search = search  # type: ignore[method-assign]
    assert [hit.watch for hit in read_hits(light_database)] == ["Ann"]
    assert searches_of_a_scan(light_database, engine) == (2, ["Bob"])


def test_a_photo_cannot_be_a_reference_and_a_negative_reference(light_database: Database) -> None:
    """Such a watch would never have a hit."""
    with pytest.raises(UsageError, match="--not"):
        add_watch(light_database, FakeEngine(), "Ann", [reference("ann")], [reference("ann")], STAMP)


@pytest.mark.parametrize(("name", "stored_name"), [("  Ann \n Lee ", "Ann Lee"), ("", None), ("\x1b[1m", None)])
def test_a_name_on_the_list_is_text(light_database: Database, name: str, stored_name: str | None) -> None:
    """The name is text on one line."""
    if stored_name is None:
        with pytest.raises(UsageError, match=r"must be printable text|has a control character"):
            add_watch(light_database, FakeEngine(), name, [reference("ann")], [], STAMP)
    else:
        assert add_watch(light_database, FakeEngine(), name, [reference("ann")], [], STAMP).name == stored_name


def test_a_dismissed_hit_stays_dismissed_in_another_gallery(light_database: Database) -> None:
    """Another engine enrolls the same photo. The face is no new hit."""
    engine, later = FakeEngine(), FakeEngine()
    later.name = "other"
    catalog_drawing(light_database, engine, Drawn("ann", left=20))
    add_watch(light_database, engine, "Ann", [reference("ann")], [], STAMP)
    (hit,) = check(light_database, engine)
    with light_database.begin() as connection:
        review_hit(connection, hit.number, "dismissed", STAMP)
    catalog_drawing(light_database, later, Drawn("ann", left=20))
    assert check(light_database, later) == []
    assert [hit.state for hit in read_hits(light_database)] == ["dismissed", "dismissed"]


def test_a_face_marked_not_a_face_is_no_hit(light_database: Database) -> None:
    """A human marks the face after the check found it."""
    engine = FakeEngine()
    catalog_drawing(light_database, engine, Drawn("ann", left=20))
    add_watch(light_database, engine, "Ann", [reference("ann")], [], STAMP)
    (hit,) = check(light_database, engine)
    with light_database.begin() as connection:
        mark_not_a_face(connection, hit.face, STAMP)
    assert read_hits(light_database) == []


@pytest.mark.parametrize("name", ["", " \n", "Ann \x1b[1m", "Ann\0", "Ann \u202e", "Ann \ud800", "A" * 501], ids=repr)
def test_a_name_on_the_watch_list_is_short_printable_text(database: Database, name: str) -> None:
    """Nothing is analyzed, and nothing is added."""
    engine = FakeEngine()
    with pytest.raises(UsageError):
        add_watch(database, engine, name, [reference("ann")], [], STAMP)
    assert not engine.calls
    assert list_watches(database) == []


def test_spaces_and_accents_of_a_name_are_stored_in_one_form(database: Database) -> None:
    """The entry is removed by any form of its name."""
    assert add_watch(database, FakeEngine(), "Ren\u0065\u0301  B", [reference("ann")], [], STAMP).name == "Ren\u00e9 B"
    with database.begin() as connection:
        remove_watch(connection, " Ren\u0065\u0301 B ")
    assert list_watches(database) == []
