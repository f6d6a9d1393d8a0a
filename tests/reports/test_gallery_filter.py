"""Reports after a change of engine or gallery: every face counts once, as one gallery has it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import case, delete, func, insert, select, update

from catalog.images.decode import InProcessOpener
from catalog.reports.filters import ReportFilters
from catalog.reports.gallery_filter import Gallery
from catalog.reports.report_registry import reports
from catalog.reports.run_report import ReportTable, run_report
from catalog.reports.site.output_folder import SiteFolder
from catalog.reports.site.write_site import write_site
from catalog.store.database import Database
from catalog.store.tables import assignments, enrollments, faces, photos, rejected_faces

FIRST, SECOND, OTHER_ENGINE = Gallery("local", "default"), Gallery("local", "second"), Gallery("rekognition", "default")
SCOPES = [
    ReportFilters(),
    ReportFilters(person="Ada"),
    ReportFilters(since="2010", until="2018-06"),
    ReportFilters(album="/photos/album 0000"),
]
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def see_again(database: Database, gallery: Gallery) -> None:
    """Enroll every photo in one more gallery, which finds the same faces and gives them to the same people."""
    at = {"engine": gallery.engine, "gallery": gallery.name, "model": "newer", "enrolled_at": "2026-02-01"}
    with database.begin() as connection:
        first = connection.scalar(select(func.max(faces.c.id)))
        assert first is not None
        for face in connection.execute(select(faces)).mappings().all():
            new = {"id": first + face["id"], "face_id": f"{gallery.engine} {gallery.name} {face['face_id']}"}
            connection.execute(insert(faces), {**face, **at, **new})
        for given in connection.execute(select(assignments)).mappings().all():
            connection.execute(insert(assignments), {**given, "face_id": first + given["face_id"]})
        seen = [{"photo_id": photo, **at} for photo in connection.scalars(select(photos.c.id))]
        connection.execute(insert(enrollments), seen)


def answers(database: Database, gallery: Gallery | None) -> dict[tuple[str, int], ReportTable]:
    """What each report says within each scope, but for the galleries' own ids of faces."""
    found = {}
    for name, report in reports().items():
        for number, scope in enumerate(SCOPES):
            if set(scope.names) <= report.parameters:
                answer = run_report(database, report, scope, gallery=gallery)
                rows = [dict(row) for row in answer.records()]
                for row in rows:
                    row.pop("face_id", None)
                found[name, number] = ReportTable(answer.columns, tuple(tuple(row.values()) for row in rows))
    return found


@pytest.mark.parametrize("new", [SECOND, OTHER_ENGINE], ids=["gallery", "engine"])
def test_every_report_counts_a_face_once_whatever_galleries_hold_it(refilled: Database, new: Gallery):
    """After a second enrollment each report says what it said, of the old gallery and of the new one."""
    before = answers(refilled, FIRST)
    see_again(refilled, new)
    for gallery in (FIRST, new):
        for asked, answer in answers(refilled, gallery).items():
            assert answer == before[asked], asked


def test_galleries_that_were_filled_in_turns_are_told_apart(refilled: Database):
    """Their rows need not follow one another: a third of the faces changes places with the other gallery's."""

    def told(gallery: Gallery) -> dict[tuple[str, int], list[str]]:
        return {asked: sorted(map(repr, answer.rows)) for asked, answer in answers(refilled, gallery).items()}

    before = told(FIRST)
    see_again(refilled, SECOND)
    with refilled.begin() as connection:
        other = case((faces.c.gallery == "second", "default"), else_="second")
        count = connection.scalar(select(func.count()).select_from(faces))
        assert count == 500
        connection.execute(update(faces).where(faces.c.id % 250 % 3 == 0).values(gallery=other))
    assert told(FIRST) == before
    assert told(SECOND) == before


def test_the_gallery_asked_for_is_the_one_that_answers(refilled: Database):
    """What only the other gallery says is not in the answer."""
    see_again(refilled, SECOND)
    with refilled.begin() as connection:
        connection.execute(update(faces).where(faces.c.gallery == "second").values(emotion="FEAR", sharpness=1.0))
    by_month = reports()["emotions-by-month"]
    told = {gallery: run_report(refilled, by_month, gallery=gallery) for gallery in (FIRST, SECOND)}
    assert {row["emotion"] for row in told[SECOND].records()} == {"FEAR"}
    assert len({row["emotion"] for row in told[FIRST].records()}) > 1
    shown = run_report(refilled, reports()["appearances"], gallery=SECOND)
    assert all(str(row["face_id"]).startswith("local second") for row in shown.records())


def test_without_a_face_in_the_gallery_of_the_settings_the_one_enrolled_in_last_answers(refilled: Database):
    """Settings that were changed before a scan, and a scan with another --engine, leave no report empty."""
    before = answers(refilled, FIRST)
    empty = Gallery("rekognition", "nothing-there")
    assert answers(refilled, empty) == before
    see_again(refilled, SECOND)
    with refilled.begin() as connection:
        connection.execute(update(faces).where(faces.c.gallery == "second").values(emotion="FEAR"))
    for gallery in (empty, None):
        told = run_report(refilled, reports()["emotions-by-month"], gallery=gallery)
        assert {row["emotion"] for row in told.records()} == {"FEAR"}


def test_a_photo_that_the_gallery_has_not_seen_is_not_called_empty(refilled: Database):
    """Its faces are known to another gallery; a photo that was looked at, and has none, is listed."""
    see_again(refilled, SECOND)
    bare = run_report(refilled, reports()["photos-without-faces"], gallery=SECOND).rows
    with refilled.begin() as connection:
        shown, looked = connection.scalars(select(faces.c.photo_id).distinct().order_by(faces.c.photo_id).limit(2))
        here = (faces.c.gallery == "second") & faces.c.photo_id.in_([shown, looked])
        gone = select(faces.c.id).where(here)
        connection.execute(delete(assignments).where(assignments.c.face_id.in_(gone)))
        connection.execute(delete(faces).where(here))
        connection.execute(delete(enrollments).where(enrollments.c.photo_id == shown))
    after = run_report(refilled, reports()["photos-without-faces"], gallery=SECOND).rows
    assert len(after) == len(bare) + 1


def test_a_face_that_two_galleries_rejected_counts_once(refilled: Database):
    """The number beside a photo without faces is of one gallery too."""
    see_again(refilled, SECOND)
    box = {"box_left": 0.1, "box_top": 0.1, "box_width": 0.1, "box_height": 0.1, "confidence": 50, "reasons": "X"}
    with refilled.begin() as connection:
        bare = connection.scalar(select(photos.c.id).where(photos.c.id.not_in(select(faces.c.photo_id))).limit(1))
        for gallery in ("default", "second"):
            at = {"photo_id": bare, "engine": "local", "gallery": gallery, "model": "m"}
            connection.execute(insert(rejected_faces), {**at, **box})
    told = run_report(refilled, reports()["photos-without-faces"], gallery=FIRST)
    assert sum(int(row["rejected"] or 0) for row in told.records()) == 1


def test_the_pages_show_a_face_once_whatever_galleries_hold_it(refilled: Database, tmp_path: Path):
    """Page by page they are what they were before the second enrollment."""

    def pages(name: str, gallery: Gallery) -> dict[str, bytes]:
        write_site(
            refilled, SiteFolder(tmp_path / name), read=lambda _uri: b"", opener=InProcessOpener(), workers=1, now=NOW,
            version="test", pictures=False, gallery=gallery,
        )  # fmt: skip
        files = (tmp_path / name).rglob("*.*")
        return {str(file.relative_to(tmp_path / name)): file.read_bytes() for file in files if file.is_file()}

    before = pages("before", FIRST)
    see_again(refilled, SECOND)
    assert len(before) > 5
    assert pages("old", FIRST) == before
    assert pages("new", SECOND) == before
