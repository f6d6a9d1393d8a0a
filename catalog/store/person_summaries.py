"""Counts per person: of the review queue and of the lists of persons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, func, or_, select, update

from catalog.store.among import among, among_parameter
from catalog.store.catalogued_faces import clearness, in_gallery
from catalog.store.tables import assignments, faces, person_summaries, persons, photos, review_skips, stacked_photos
from catalog.store.upsert import batches, insert_into

CLEAR_WIDTH = 60
"""Pixels: a user can answer a question about a face that is at least this wide. Measured on LFW: of 100 questions
without this limit, 63 showed a face that no user could name."""
CLEAR_SHARPNESS = 30
"""0-100: lowest sharpness of such a face. Faces whose sharpness was not measured pass."""

OPEN, NAMED, HIDDEN = "open", "named", "hidden"
"""States of a person. A hidden person may have a name."""


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """Counts of one person in one gallery, files of one exposure once.

    ``row`` is the row id of the person; times are UTC text.
    """

    row: int
    person_id: str
    name: str | None
    hidden: bool
    faces: int
    photos: int
    clear_faces: int
    first_taken: str | None
    last_taken: str | None


def refresh_summaries(connection: Connection, *, engine: str, gallery: str, rows: Iterable[int] | None = None) -> None:
    """Compute the counts of some persons again, or of all persons of the gallery.

    Files of one exposure count once: the faces on photos that count, at least one for each exposure.
    """
    conditions = in_gallery(engine, gallery)
    if rows is None:
        connection.execute(delete(person_summaries))
        _insert_summaries(connection, conditions, engine, gallery)
        return
    for batch in batches(sorted(set(rows))):
        connection.execute(delete(person_summaries).where(person_summaries.c.person_id.in_(batch)))
        _insert_summaries(connection, (*conditions, assignments.c.person_id.in_(batch)), engine, gallery)


def refresh_states(connection: Connection, rows: Iterable[int]) -> None:
    """Read again whether these persons are named or hidden. Their counts stay."""
    state = select(person_state()).where(persons.c.id == person_summaries.c.person_id).scalar_subquery()
    query = update(person_summaries).where(among(person_summaries.c.person_id, set(rows)))
    connection.execute(query.values(state=state))


def clearest_faces(connection: Connection, conditions: Sequence[ColumnElement[bool]]) -> dict[int, int]:
    """The row id of the clearest face of each person, by the person's row id.

    ``conditions`` on ``faces`` and ``assignments`` choose the faces and persons.
    """
    rank = func.row_number().over(
        partition_by=assignments.c.person_id, order_by=(clearness(connection).desc(), faces.c.id)
    )
    ranked = (
        select(faces.c.id, assignments.c.person_id, rank.label("rank"))
        .select_from(assignments.join(faces, faces.c.id == assignments.c.face_id).join(photos))
        .where(*conditions)
        .subquery()
    )
    query = select(ranked.c.person_id, ranked.c.id).where(ranked.c.rank == 1)
    return {row.person_id: row.id for row in connection.execute(query)}


def _insert_summaries(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], engine: str, gallery: str
) -> None:
    shots = func.count(func.distinct(func.coalesce(stacked_photos.c.counted_id, faces.c.photo_id)))
    counted_faces = func.count() - func.count(stacked_photos.c.photo_id)
    counts = (
        select(
            assignments.c.person_id,
            case((counted_faces < shots, shots), else_=counted_faces).label("faces"),
            shots.label("photos"),
            func.sum(case((face_is_clear(), 1), else_=0)).label("clear_faces"),
            func.min(photos.c.taken_local).label("first_taken"),
            func.max(photos.c.taken_local_end).label("last_taken"),
        )
        .select_from(
            assignments.join(faces, faces.c.id == assignments.c.face_id)
            .join(photos, photos.c.id == faces.c.photo_id)
            .outerjoin(stacked_photos, stacked_photos.c.photo_id == faces.c.photo_id)
        )
        .where(*conditions)
        .group_by(assignments.c.person_id)
        .subquery()
    )
    query = select(counts, person_state().label("state")).join(persons, persons.c.id == counts.c.person_id)
    covers = clearest_faces(connection, conditions)
    values = [
        {
            **row._mapping,
            "clear_faces": int(row.clear_faces),
            "engine": engine,
            "gallery": gallery,
            "cover_id": covers.get(row.person_id),
        }
        for row in connection.execute(query)
    ]
    for batch in batches(values):
        connection.execute(insert_into(connection, person_summaries), batch)


def face_is_clear() -> ColumnElement[bool]:
    """Condition on ``faces`` and ``photos``: a user can answer a question about the face."""
    size = faces.c.box_width * photos.c.width
    return and_(size >= CLEAR_WIDTH, func.coalesce(faces.c.sharpness, 100.0) >= CLEAR_SHARPNESS)


def person_state() -> ColumnElement[str]:
    """The state of a row of ``persons``."""
    return case((persons.c.hidden.is_(True), HIDDEN), (persons.c.name.is_(None), OPEN), else_=NAMED)


@cache
def _summary_query() -> Select[Any]:
    counts = [person_summaries.c[name] for name in ("faces", "photos", "clear_faces", "first_taken", "last_taken")]
    return (
        select(persons.c.id, persons.c.person_id, persons.c.name, persons.c.hidden, *counts)
        .select_from(person_summaries.join(persons, persons.c.id == person_summaries.c.person_id))
        .where(persons.c.merged_into.is_(None))
    )


@cache
def _summaries_of_rows() -> Select[Any]:
    return _summary_query().where(among_parameter(persons.c.id, "rows"))


def _summaries(connection: Connection, query: Select[Any]) -> list[PersonSummary]:
    return [PersonSummary(*row) for row in connection.execute(query).all()]


def read_summaries(connection: Connection, rows: Iterable[int]) -> dict[int, PersonSummary]:
    """Summaries by row id of the person. Persons without a face in the gallery are missing."""
    rows_read = connection.execute(_summaries_of_rows(), {"rows": sorted(set(rows))}).all()
    return {row[0]: PersonSummary(*row) for row in rows_read}


def largest_unnamed(connection: Connection, limit: int) -> list[PersonSummary]:
    """Persons without a name that are not hidden, most faces first; those with a clear face before the others.

    A skipped person is left out until its time has passed.
    """
    skipped = select(review_skips.c.id).where(
        review_skips.c.person_id == persons.c.id, review_skips.c.other_id.is_(None), review_skips.c.face_id.is_(None)
    )
    condition = ~skipped.exists()
    largest = select_summaries(connection, [condition, person_summaries.c.clear_faces > 0], limit, state=OPEN)
    if len(largest) < limit:
        unclear = [condition, person_summaries.c.clear_faces == 0]
        largest += select_summaries(connection, unclear, limit - len(largest), state=OPEN)
    return largest


@dataclass(frozen=True, slots=True)
class ReviewTotals:
    """Faces of the gallery that have a person, and how many of them have a name or are hidden."""

    faces: int
    named: int
    hidden: int
    unnamed_persons: int


def read_totals(connection: Connection) -> ReviewTotals:
    """Sums over all summaries. Only an index is read."""
    query = select(person_summaries.c.state, func.count(), func.sum(person_summaries.c.faces))
    totals = {state: (count, int(faces)) for state, count, faces in connection.execute(query.group_by("state"))}
    unnamed_persons, unnamed = totals.get(OPEN, (0, 0))
    named, hidden = totals.get(NAMED, (0, 0))[1], totals.get(HIDDEN, (0, 0))[1]
    return ReviewTotals(unnamed + named + hidden, named, hidden, unnamed_persons)


def open_person_names(connection: Connection, prefix: str, limit: int) -> list[PersonSummary]:
    """Named persons whose name, or a word of it, begins with ``prefix`` in any case; most faces first."""
    return select_summaries(connection, [name_matches(prefix)], limit, state=NAMED)


def name_matches(prefix: str) -> ColumnElement[bool]:
    """Condition on ``persons``: the name, or a word of it, begins with ``prefix``, in any case."""
    # SQLite changes the case of ASCII letters only, so that other first letters are tried in both cases.
    spellings = {prefix, prefix.lower(), prefix.title()}
    patterns = [text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") for text in sorted(spellings)]
    names = [persons.c.name, func.lower(persons.c.name)]
    return or_(
        *(name.like(f"{start}{text}%", escape="\\") for name in names for text in patterns for start in ("", "% "))
    )


def select_summaries(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], limit: int, *, state: str
) -> list[PersonSummary]:
    """Summaries of persons in a state that meet all conditions on ``persons`` and ``person_summaries``.

    Most faces first, and latest first among persons with equally many.
    """
    # The state of a summary may be older than the person. The index needs it, and the person is asked again.
    is_current = {
        OPEN: and_(persons.c.name.is_(None), persons.c.hidden.is_(False)),
        NAMED: and_(persons.c.name.is_not(None), persons.c.hidden.is_(False)),
        HIDDEN: persons.c.hidden.is_(True),
    }
    query = _summary_query().where(person_summaries.c.state == state, is_current[state], *conditions)
    query = query.order_by(person_summaries.c.faces.desc(), person_summaries.c.person_id.desc()).limit(limit)
    return _summaries(connection, query)
