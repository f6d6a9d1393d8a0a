"""Reports compared with slow, independent counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from catalog.domain.errors import PersonError, UsageError
from catalog.reports.filters import ReportFilters
from catalog.reports.report_registry import find_report, reports
from catalog.store import tables
from catalog.store.database import Database
from tests.whole_reports import run_report

SCOPES = [
    ReportFilters(),
    ReportFilters(person="Ada"),
    ReportFilters(since="2012", until="2014-06"),
    ReportFilters(album="file:///photos/album%200001"),
    ReportFilters(person="Ada", since="2010-02-03", album="/photos/album 0000"),
]
IDS = ["all", "person", "time", "album", "every"]


@dataclass
class Photo:
    """A photo with its locations, faces and persons, collected by loops."""

    sha256: str
    taken_at: str | None
    offset: int | None
    uris: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    faces: list[dict] = field(default_factory=list)

    @property
    def day(self) -> str | None:
        if self.taken_at is None:
            return None
        return (datetime.fromisoformat(self.taken_at) + timedelta(minutes=self.offset or 0)).strftime("%Y-%m-%d")

    @property
    def month(self) -> str | None:
        return self.day and self.day[:7]

    @property
    def people(self) -> set[str]:
        return {face["person"] for face in self.faces if face["person"]}

    def within(self, scope: ReportFilters) -> bool:
        if scope.since and not (self.day and self.day >= scope.since):
            return False
        if scope.until and not (self.day and self.day[: len(scope.until)] <= scope.until):
            return False
        album = (scope.album or "").replace(" ", "%20").removeprefix("file://")
        return any(uri.startswith(f"file://{album}") for uri in self.uris + self.missing)


@dataclass
class Everything:
    photos: list[Photo]
    names: dict[str, str | None]
    hidden: set[str]


def everything(database: Database) -> Everything:
    """The whole catalogue in memory."""
    with database.read() as connection:

        def rows(name: str) -> list[dict]:
            return [dict(row) for row in connection.execute(select(tables.metadata.tables[name])).mappings()]

        photos = {row["id"]: Photo(row["sha256"], row["taken_at"], row["taken_at_offset"]) for row in rows("photos")}
        for row in rows("locations"):
            (photos[row["photo_id"]].missing if row["missing_since"] else photos[row["photo_id"]].uris).append(
                row["uri"]
            )
        persons = {row["id"]: row for row in rows("persons")}
        person_by_face = {row["face_id"]: persons[row["person_id"]]["person_id"] for row in rows("assignments")}
        for row in rows("faces"):
            if not row["not_a_face"]:
                photos[row["photo_id"]].faces.append({**row, "person": person_by_face.get(row["id"])})
    return Everything(
        list(photos.values()),
        {row["person_id"]: row["name"] for row in persons.values()},
        {row["person_id"] for row in persons.values() if row["hidden"]},
    )


def records(database: Database, name: str, scope: ReportFilters) -> list[dict]:
    report = reports()[name]
    return list(run_report(database, report, scope).records())


def ada(library: Everything, scope: ReportFilters) -> str | None:
    return next(person for person, name in library.names.items() if name == "Ada") if scope.person else None


@pytest.mark.parametrize("scope", SCOPES, ids=IDS)
def test_people_agrees_with_a_slow_count(filled: Database, scope: ReportFilters):
    """Faces, photos, first and last seen, and the most frequent companion of each person."""
    library = everything(filled)
    faces, photos, company = Counter(), defaultdict(list), defaultdict(Counter)
    for photo in library.photos:
        if photo.within(scope):
            faces.update(face["person"] for face in photo.faces if face["person"])
            for person in photo.people:
                photos[person].append(photo.day)
                company[person].update(photo.people - {person} - library.hidden)
    expected = {}
    for person, dates in photos.items():
        if person in library.hidden or (scope.person and person != ada(library, scope)):
            continue
        dated = [date for date in dates if date]
        expected[person] = (
            library.names[person], faces[person], len(dates), min(dated, default=None), max(dated, default=None),
        )  # fmt: skip
    answer = records(filled, "people", scope)
    assert {
        row["person_id"]: (row["name"], row["faces"], row["photos"], row["first_seen"], row["last_seen"])
        for row in answer
    } == expected
    assert [row["photos"] for row in answer] == sorted((row["photos"] for row in answer), reverse=True)
    for row in answer:
        best = max(company[row["person_id"]].values(), default=0)
        closest = {library.names[friend] or friend for friend, n in company[row["person_id"]].items() if n == best}
        assert row["company"] in (closest or {None})


@pytest.mark.parametrize("scope", SCOPES, ids=IDS)
def test_co_occurrence_agrees_with_a_slow_count(filled: Database, scope: ReportFilters):
    """Each pair once, with the number of shared photos."""
    library = everything(filled)
    pairs: Counter[frozenset[str]] = Counter()
    for photo in library.photos:
        if photo.within(scope):
            people = sorted(photo.people - library.hidden)
            pairs.update(frozenset((a, b)) for a in people for b in people if a < b)
    if scope.person:
        pairs = Counter({pair: n for pair, n in pairs.items() if ada(library, scope) in pair})
    answer = records(filled, "co-occurrence", scope)
    assert {frozenset((row["person_a_id"], row["person_b_id"])): row["photos"] for row in answer} == dict(pairs)
    assert len(answer) == len(pairs)


@pytest.mark.parametrize("scope", SCOPES, ids=IDS)
@pytest.mark.parametrize("name", ["emotions-by-month", "emotions-by-album", "emotions-by-person"])
def test_emotions_agree_with_a_slow_count(filled: Database, scope: ReportFilters, name: str):
    """Counts by month, album and person, with the number of measured faces."""
    library = everything(filled)
    counted: Counter[tuple] = Counter()
    for photo in library.photos:
        if not photo.within(scope):
            continue
        for face in photo.faces:
            person = face["person"]
            if face["emotion"] is None or person in library.hidden or (scope.person and person != ada(library, scope)):
                continue
            if name == "emotions-by-month":
                groups = {photo.month} - {None}
            elif name == "emotions-by-person":
                groups = {person} if person and library.names[person] else set()
            else:
                albums = {uri.rpartition("/")[0] + "/" for uri in photo.uris}
                wanted = (scope.album or "").replace(" ", "%20").removeprefix("file://")
                groups = {album for album in albums if album.startswith(f"file://{wanted}")}
            counted.update((group, face["emotion"]) for group in groups)
    totals: Counter[str] = Counter()
    for (group, _), n in counted.items():
        totals[group] += n
    key = {"emotions-by-month": "month", "emotions-by-album": "album", "emotions-by-person": "person_id"}[name]
    answer = records(filled, name, scope)
    assert answer
    assert {(row[key], row["emotion"]): row["faces"] for row in answer} == dict(counted)
    for row in answer:
        assert row["measured"] == totals[row[key]]
        assert row["share_low"] <= row["share"] <= row["share_high"]
        assert (row["sample"] == "small") == (row["measured"] < 30)


@pytest.mark.parametrize("scope", SCOPES, ids=IDS)
def test_the_timeline_agrees_with_a_slow_count(filled: Database, scope: ReportFilters):
    """Photos, photos with faces, faces and persons of each month."""
    library = everything(filled)
    months: dict[str | None, list] = defaultdict(lambda: [0, 0, 0, set()])
    for photo in library.photos:
        if photo.within(scope) and (not scope.person or ada(library, scope) in photo.people):
            month = months[photo.month]
            month[0] += 1
            month[1] += bool(photo.faces)
            month[2] += len(photo.faces)
            month[3] |= photo.people - library.hidden
    answer = records(filled, "timeline", scope)
    assert [
        (row["month"], row["photos"], row["with_faces"], row["faces"], row["people"]) for row in answer
    ] == [
        (name, n, with_faces, faces, len(people))
        for name, (n, with_faces, faces, people) in sorted(months.items(), key=lambda item: item[0] or "~")
    ]  # fmt: skip


@pytest.mark.parametrize("scope", SCOPES, ids=IDS)
def test_appearances_agree_with_a_slow_count(filled: Database, scope: ReportFilters):
    """Each face of a visible person once, with a present location."""
    library = everything(filled)
    expected = {
        (face["face_id"], face["person"], min(photo.uris or photo.missing), photo.taken_at)
        for photo in library.photos
        if photo.within(scope)
        for face in photo.faces
        if face["person"]
        and face["person"] not in library.hidden
        and face["person"] == (ada(library, scope) or face["person"])
    }
    answer = records(filled, "appearances", scope)
    assert len(answer) == len(expected)
    assert {(row["face_id"], row["person_id"], row["uri"], row["taken_at"]) for row in answer} == expected


def test_photos_without_faces_duplicates_and_unknown_people_agree_with_a_slow_count(filled: Database):
    """The reports that list photos and persons."""
    library = everything(filled)
    bare = {min(photo.uris) for photo in library.photos if photo.uris and not photo.faces}
    assert {row["uri"] for row in records(filled, "photos-without-faces", ReportFilters())} == bare
    copies = {(photo.sha256, uri) for photo in library.photos if len(photo.uris) > 1 for uri in photo.uris}
    assert {(row["photo_sha256"], row["uri"]) for row in records(filled, "duplicates", ReportFilters())} == copies
    often = Counter(person for photo in library.photos for person in photo.people)
    strangers = {
        person: n for person, n in often.items() if n > 1 and not library.names[person] and person not in library.hidden
    }
    answer = records(filled, "unknown-people", ReportFilters())
    assert {row["person_id"]: row["photos"] for row in answer} == strangers


def test_quality_agrees_with_a_slow_count(filled: Database):
    """Means over the faces of a month, within rounding."""
    library = everything(filled)
    months = defaultdict(list)
    for photo in library.photos:
        months[photo.month] += photo.faces
    answer = {row["month"]: row for row in records(filled, "quality", ReportFilters())}
    assert set(answer) == {month for month, faces in months.items() if faces}
    for month, row in answer.items():
        faces = months[month]
        assert row["faces"] == len(faces)
        assert row["sharpness"] == pytest.approx(sum(face["sharpness"] for face in faces) / len(faces), abs=0.051)
        assert row["blurred"] == sum(face["sharpness"] < 20 for face in faces)


def test_costs_scans_and_failures_agree_with_the_rows(filled: Database):
    """Sums by month and operation, all scans, and the problems of the last scan."""
    costs = records(filled, "costs", ReportFilters())
    assert {(row["month"], row["operation"], row["calls"]) for row in costs} == {
        ("2026-01", "IndexFaces", sum(range(1, 31))),
        ("2026-01", "SearchFaces", sum(range(1, 31))),
    }
    assert [row["dollars"] for row in costs] == pytest.approx([sum(range(1, 31)) / 1000] * 2)
    assert [row["scan_id"] for row in records(filled, "scans", ReportFilters(since="2026-01-29"))] == [30, 29]
    failures = records(filled, "failures", ReportFilters())
    assert [row["outcome"] for row in failures] == ["failed"] * 4 + ["skipped"]
    assert {row["scan_id"] for row in failures} == {30}


def test_a_later_complete_scan_without_the_problem_clears_a_failure(refilled: Database):
    """A repaired or removed photo is not listed any more."""
    with refilled.begin() as connection:
        connection.execute(tables.problems.delete().where(tables.problems.c.scan_id == 30))
    assert records(refilled, "failures", ReportFilters()) == []
    with refilled.begin() as connection:
        connection.execute(
            tables.scan_sources.update().where(tables.scan_sources.c.scan_id == 30).values(completed_at=None)
        )
    assert len(records(refilled, "failures", ReportFilters())) == 5


@pytest.mark.parametrize("name", list(reports()))
def test_every_report_keeps_its_limit_and_is_marked_as_truncated(filled: Database, name: str):
    """Two rows of many."""
    whole = run_report(filled, reports()[name])
    part = run_report(filled, reports()[name], limit=2)
    assert part.rows == whole.rows[:2]
    assert part.truncated == (len(whole.rows) > 2)
    assert not whole.truncated


@pytest.mark.parametrize("name", list(reports()))
def test_every_report_runs_on_an_empty_catalogue(database: Database, name: str):
    """No rows and no error."""
    assert run_report(database, reports()[name]).rows == ()


def test_a_report_refuses_filters_that_it_does_not_accept(filled: Database):
    """A filter without effect is an error. So is an unknown person or album."""
    with pytest.raises(UsageError, match="does not accept --person"):
        run_report(filled, reports()["costs"], ReportFilters(person="Ada"))
    with pytest.raises(PersonError):
        run_report(filled, reports()["people"], ReportFilters(person="Nobody"))
    with pytest.raises(UsageError, match='no photo in "/photos/albun 0001/"'):
        run_report(filled, reports()["timeline"], ReportFilters(album="/photos/albun 0001"))
    with pytest.raises(UsageError, match="not a date"):
        run_report(filled, reports()["people"], ReportFilters(since="yesterday"))


@pytest.mark.parametrize("wanted", ["emotions by month", "Emotions_By_Month", "sentiment", "emotions-by-month"])
def test_a_report_is_found_by_any_of_its_names(wanted: str):
    """Case, spaces and underscores do not matter."""
    assert find_report(wanted).name == "emotions-by-month"


def test_every_report_states_its_question():
    """One report, one file, one question."""
    for report in reports().values():
        assert report.question.endswith("?")
        assert report.parameters <= {"since", "until", "person", "album"}
    with pytest.raises(UsageError, match="no report named"):
        find_report("weather")
