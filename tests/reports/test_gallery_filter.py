"""Reports after a change of engine or gallery count each face once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import case, delete, func, insert, select, update

from catalog.images.decode import InProcessOpener
from catalog.reports.filters import ReportFilters
from catalog.reports.gallery_filter import Gallery
from catalog.reports.report_registry import reports
from catalog.reports.report_table import ReportTable
from catalog.reports.site.output_folder import SiteFolder
from catalog.reports.site.write_site import write_site
from catalog.store.database import Database
from catalog.store.tables import assignments, enrollments, faces, photos, rejected_faces
from tests.whole_reports import run_report

FIRST, SECOND, OTHER_ENGINE = Gallery("local", "default"), Gallery("local", "second"), Gallery("rekognition", "default")
SCOPES = [
    ReportFilters(),
    ReportFilters(person="Ada"),
    ReportFilters(since="2010", until="2018-06"),
    ReportFilters(album="/photos/album 0000"),
]
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def see_again(database: Database, gallery: Gallery) -> None:
    """Enroll all photos in another gallery, with the same faces and persons."""
    new_keys = {"engine": gallery.engine, "gallery": gallery.name, "model": "newer", "enrolled_at": "2026-02-01"}
    with database.begin() as connection:
        first = connection.scalar(select(func.max(faces.c.id)))
        assert first is not None
        for face in connection.execute(select(faces)).mappings().all():
            new = {"id": first + face["id"], "face_id": f"{gallery.engine} {gallery.name} {face['face_id']}"}
            connection.execute(insert(faces), {**face, **new_keys, **new})
        for assignment in connection.execute(select(assignments)).mappings().all():
            connection.execute(insert(assignments), {**assignment, "face_id": first + assignment["face_id"]})
        new_faces = [{"photo_id": photo, **new_keys} for photo in connection.scalars(select(photos.c.id))]
        connection.execute(insert(enrollments), new_faces)


def answers(database: Database, gallery: Gallery | None) -> dict[tuple[str, int], ReportTable]:
    """Return each report with each set of filters, without face ids."""
    tables = {}
    for name, report in reports().items():
        for number, scope in enumerate(SCOPES):
            if set(scope.names) <= report.parameters:
                answer = run_report(database, report, scope, gallery=gallery)
                rows = [dict(row) for row in answer.records()]
                for row in rows:
                    row.pop("face_id", None)
                tables[name, number] = ReportTable(answer.columns, tuple(tuple(row.values()) for row in rows))
    return tables


@pytest.mark.parametrize("new", [SECOND, OTHER_ENGINE], ids=["gallery", "engine"])
def test_every_report_counts_a_face_of_two_galleries_once(refilled: Database, new: Gallery):
    """After a second enrollment the reports on either gallery are unchanged."""
    before = answers(refilled, FIRST)
    see_again(refilled, new)
    for gallery in (FIRST, new):
        for report, answer in answers(refilled, gallery).items():
            assert answer == before[report], report


def test_galleries_with_interleaved_row_ids_are_separated(refilled: Database):
    """A third of the faces swap galleries."""

    def results(gallery: Gallery) -> dict[tuple[str, int], list[str]]:
        return {report: sorted(map(repr, answer.rows)) for report, answer in answers(refilled, gallery).items()}

    before = results(FIRST)
    see_again(refilled, SECOND)
    with refilled.begin() as connection:
        other_gallery = case((faces.c.gallery == "second", "default"), else_="second")
        count = connection.scalar(select(func.count()).select_from(faces))
        assert count == 500
        connection.execute(update(faces).where(faces.c.id % 250 % 3 == 0).values(gallery=other_gallery))
    assert results(FIRST) == before
    assert results(SECOND) == before


def test_a_report_uses_the_requested_gallery(refilled: Database):
    """Values of the other gallery do not occur."""
    see_again(refilled, SECOND)
    with refilled.begin() as connection:
        connection.execute(update(faces).where(faces.c.gallery == "second").values(emotion="FEAR", sharpness=1.0))
    by_month = reports()["emotions-by-month"]
    table_by_gallery = {gallery: run_report(refilled, by_month, gallery=gallery) for gallery in (FIRST, SECOND)}
    assert {row["emotion"] for row in table_by_gallery[SECOND].records()} == {"FEAR"}
    assert len({row["emotion"] for row in table_by_gallery[FIRST].records()}) > 1
    shown = run_report(refilled, reports()["appearances"], gallery=SECOND)
    assert all(str(row["face_id"]).startswith("local second") for row in shown.records())


def test_a_report_on_an_empty_gallery_uses_the_latest_gallery(refilled: Database):
    """Changed settings, or a scan with another --engine, do not make reports empty."""
    before = answers(refilled, FIRST)
    empty = Gallery("rekognition", "empty")
    assert answers(refilled, empty) == before
    see_again(refilled, SECOND)
    with refilled.begin() as connection:
        connection.execute(update(faces).where(faces.c.gallery == "second").values(emotion="FEAR"))
    for gallery in (empty, None):
        table = run_report(refilled, reports()["emotions-by-month"], gallery=gallery)
        assert {row["emotion"] for row in table.records()} == {"FEAR"}


def test_a_photo_enrolled_elsewhere_only_is_not_listed_without_faces(refilled: Database):
    """A photo that is enrolled in the gallery and has no face is listed."""
    see_again(refilled, SECOND)
    bare = run_report(refilled, reports()["photos-without-faces"], gallery=SECOND).rows
    with refilled.begin() as connection:
        shown, looked = connection.scalars(select(faces.c.photo_id).distinct().order_by(faces.c.photo_id).limit(2))
        is_shown = (faces.c.gallery == "second") & faces.c.photo_id.in_([shown, looked])
        removed = select(faces.c.id).where(is_shown)
        connection.execute(delete(assignments).where(assignments.c.face_id.in_(removed)))
        connection.execute(delete(faces).where(is_shown))
        connection.execute(delete(enrollments).where(enrollments.c.photo_id == shown))
    after = run_report(refilled, reports()["photos-without-faces"], gallery=SECOND).rows
    assert len(after) == len(bare) + 1


def test_a_face_rejected_in_two_galleries_counts_once(refilled: Database):
    """The number of rejected faces is of one gallery."""
    see_again(refilled, SECOND)
    box = {"box_left": 0.1, "box_top": 0.1, "box_width": 0.1, "box_height": 0.1, "confidence": 50, "reasons": "X"}
    with refilled.begin() as connection:
        bare = connection.scalar(select(photos.c.id).where(photos.c.id.not_in(select(faces.c.photo_id))).limit(1))
        for gallery in ("default", "second"):
            new_keys = {"photo_id": bare, "engine": "local", "gallery": gallery, "model": "m"}
            connection.execute(insert(rejected_faces), {**new_keys, **box})
    table = run_report(refilled, reports()["photos-without-faces"], gallery=FIRST)
    assert sum(int(row["rejected"] or 0) for row in table.records()) == 1


def test_the_pages_show_a_face_of_two_galleries_once(refilled: Database, tmp_path: Path):
    """The pages are the same as before the second enrollment."""

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
