"""Rows of the review queue: counts per person, open questions, skipped questions and answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, and_, case, cast, delete, func, or_, select, update

from catalog.store.tables import (
    assignments,
    faces,
    person_summaries,
    persons,
    photos,
    review_answers,
    review_questions,
    review_skips,
    stacked_photos,
)
from catalog.store.upsert import batches, insert_into

CLEAR_WIDTH = 60
"""Pixels: a user can answer a question about a face that is at least this wide. Measured on LFW: of 100 questions
without this limit, 63 showed a face that no user could name."""
CLEAR_SHARPNESS = 30
"""0-100: lowest sharpness of such a face. Faces whose sharpness was not measured pass."""


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


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One open question: is ``other``, or the unassigned face ``face``, the same person? Row ids."""

    person: int
    other: int | None
    face: int | None
    similarity: float
    chance: float
    faces: int
    worth: float
    reason: str | None
    id: int = 0


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A recorded answer. ``group`` is None if it made no decision."""

    login: str
    body_sha256: str
    group: int | None


def refresh_summaries(connection: Connection, *, engine: str, gallery: str, rows: Iterable[int] | None = None) -> None:
    """Compute the counts of some persons again, or of all persons of the gallery.

    Files of one exposure count once: the faces on photos that count, at least one for each exposure.
    """
    shots = func.count(func.distinct(func.coalesce(stacked_photos.c.counted_id, faces.c.photo_id)))
    counted_faces = func.count() - func.count(stacked_photos.c.photo_id)
    size = faces.c.box_width * photos.c.width
    is_clear = and_(size >= CLEAR_WIDTH, func.coalesce(faces.c.sharpness, 100.0) >= CLEAR_SHARPNESS)
    counts = (
        select(
            assignments.c.person_id,
            case((counted_faces < shots, shots), else_=counted_faces).label("faces"),
            shots.label("photos"),
            func.sum(case((is_clear, 1), else_=0)).label("clear_faces"),
            func.min(photos.c.taken_local).label("first_taken"),
            func.max(photos.c.taken_local_end).label("last_taken"),
        )
        .select_from(
            assignments.join(faces, faces.c.id == assignments.c.face_id)
            .join(photos, photos.c.id == faces.c.photo_id)
            .outerjoin(stacked_photos, stacked_photos.c.photo_id == faces.c.photo_id)
        )
        .where(faces.c.engine == engine, faces.c.gallery == gallery, faces.c.not_a_face.is_(False))
        .group_by(assignments.c.person_id)
    )
    if rows is None:
        connection.execute(delete(person_summaries))
        _insert_summaries(connection, counts, engine, gallery)
        return
    for batch in batches(sorted(set(rows))):
        connection.execute(delete(person_summaries).where(person_summaries.c.person_id.in_(batch)))
        _insert_summaries(connection, counts.where(assignments.c.person_id.in_(batch)), engine, gallery)


def _insert_summaries(connection: Connection, counts: Select[Any], engine: str, gallery: str) -> None:
    values = [
        {**row._mapping, "clear_faces": int(row.clear_faces), "engine": engine, "gallery": gallery}
        for row in connection.execute(counts)
    ]
    for batch in batches(values):
        connection.execute(insert_into(connection, person_summaries), batch)


def _summary_query() -> Select[Any]:
    counts = [person_summaries.c[name] for name in ("faces", "photos", "clear_faces", "first_taken", "last_taken")]
    return (
        select(persons.c.id, persons.c.person_id, persons.c.name, persons.c.hidden, *counts)
        .select_from(person_summaries.join(persons, persons.c.id == person_summaries.c.person_id))
        .where(persons.c.merged_into.is_(None))
    )


def _summaries(connection: Connection, query: Select[Any]) -> list[PersonSummary]:
    return [PersonSummary(*row) for row in connection.execute(query)]


def read_summaries(connection: Connection, rows: Iterable[int]) -> dict[int, PersonSummary]:
    """Summaries by row id of the person. Persons without a face in the gallery are missing."""
    summaries: dict[int, PersonSummary] = {}
    for batch in batches(sorted(set(rows))):
        query = _summary_query().where(persons.c.id.in_(batch))
        summaries |= {summary.row: summary for summary in _summaries(connection, query)}
    return summaries


def largest_unnamed(connection: Connection, limit: int, *, excluded: Sequence[int] = ()) -> list[PersonSummary]:
    """Persons without a name that are not hidden, most faces first; those with a clear face before the others.

    A skipped person is left out until its time has passed.
    """
    skipped = select(review_skips.c.id).where(
        review_skips.c.person_id == persons.c.id, review_skips.c.other_id.is_(None), review_skips.c.face_id.is_(None)
    )
    query = _summary_query().where(persons.c.name.is_(None), persons.c.hidden.is_(False), ~skipped.exists())
    if excluded:
        query = query.where(persons.c.id.not_in(excluded))
    order = case((person_summaries.c.clear_faces > 0, 0), else_=1)
    query = query.order_by(order, person_summaries.c.faces.desc(), persons.c.person_id).limit(limit)
    return _summaries(connection, query)


@dataclass(frozen=True, slots=True)
class ReviewTotals:
    """Faces of the gallery that have a person, and how many of them have a name or are hidden."""

    faces: int
    named: int
    hidden: int
    unnamed_persons: int


def read_totals(connection: Connection) -> ReviewTotals:
    """Sums over all summaries."""
    is_hidden = persons.c.hidden.is_(True)
    is_named = and_(persons.c.name.is_not(None), persons.c.hidden.is_(False))
    is_open = and_(persons.c.name.is_(None), persons.c.hidden.is_(False))
    count = person_summaries.c.faces

    def total(condition: Any, value: Any) -> Any:
        return cast(func.coalesce(func.sum(case((condition, value), else_=0)), 0), Integer)

    query = select(
        cast(func.coalesce(func.sum(count), 0), Integer),
        total(is_named, count),
        total(is_hidden, count),
        total(is_open, 1),
    ).select_from(person_summaries.join(persons, persons.c.id == person_summaries.c.person_id))
    return ReviewTotals(*connection.execute(query).one())


def replace_questions(connection: Connection, questions: Sequence[QuestionRow]) -> None:
    """Delete all questions and store these."""
    connection.execute(delete(review_questions))
    values = [_values(question) for question in questions]
    for batch in batches(values):
        connection.execute(insert_into(connection, review_questions), batch)


def _values(question: QuestionRow) -> dict[str, object]:
    return {
        "person_id": question.person,
        "other_id": question.other,
        "face_id": question.face,
        "similarity": question.similarity,
        "chance": question.chance,
        "faces": question.faces,
        "worth": question.worth,
        "reason": question.reason,
    }


def _question_query() -> Select[Any]:
    names = [field.name for field in fields(QuestionRow)]
    columns = {"person": "person_id", "other": "other_id", "face": "face_id"}
    skipped = (
        select(review_skips.c.id)
        .where(review_skips.c.person_id == review_questions.c.person_id)
        .where(func.coalesce(review_skips.c.other_id, 0) == func.coalesce(review_questions.c.other_id, 0))
        .where(func.coalesce(review_skips.c.face_id, 0) == func.coalesce(review_questions.c.face_id, 0))
    )
    return select(*(review_questions.c[columns.get(name, name)] for name in names)).where(~skipped.exists())


def best_questions(
    connection: Connection, limit: int, *, min_chance: float, excluded: Sequence[int] = ()
) -> list[QuestionRow]:
    """Open questions with at least this chance of a yes, worth most first."""
    query = _question_query().where(review_questions.c.chance >= min_chance)
    if excluded:
        query = query.where(review_questions.c.id.not_in(excluded))
    query = query.order_by(review_questions.c.worth.desc(), review_questions.c.id).limit(limit)
    return [QuestionRow(*row) for row in connection.execute(query)]


def questions_about(connection: Connection, person: int) -> list[QuestionRow]:
    """All open questions about a person, most likely first."""
    query = _question_query().where(or_(review_questions.c.person_id == person, review_questions.c.other_id == person))
    query = query.order_by(review_questions.c.chance.desc(), review_questions.c.id)
    return [QuestionRow(*row) for row in connection.execute(query)]


def read_question(connection: Connection, number: int) -> QuestionRow | None:
    """The question with this id; None if it was settled."""
    row = connection.execute(_question_query().where(review_questions.c.id == number)).one_or_none()
    return None if row is None else QuestionRow(*row)


def update_question(connection: Connection, question: QuestionRow) -> None:
    """Store a question again under its id."""
    query = update(review_questions).where(review_questions.c.id == question.id)
    connection.execute(query.values(**_values(question)))


def delete_questions(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete settled questions."""
    for batch in batches(list(numbers)):
        connection.execute(delete(review_questions).where(review_questions.c.id.in_(batch)))


def add_skip(connection: Connection, question: QuestionRow, until: str) -> None:
    """Leave a question out until a time (UTC text)."""
    values = {"person_id": question.person, "other_id": question.other, "face_id": question.face, "until": until}
    connection.execute(insert_into(connection, review_skips), [values])


def delete_expired(connection: Connection, *, skips_before: str, answers_before: str) -> None:
    """Delete skips and answers whose time has passed."""
    connection.execute(delete(review_skips).where(review_skips.c.until < skips_before))
    connection.execute(delete(review_answers).where(review_answers.c.at < answers_before))


def read_answer(connection: Connection, key: str) -> AnswerRow | None:
    """The answer recorded with this idempotency key."""
    query = select(review_answers.c.login, review_answers.c.body_sha256, review_answers.c.group)
    row = connection.execute(query.where(review_answers.c.key == key)).one_or_none()
    return None if row is None else AnswerRow(*row)


def add_answer(connection: Connection, key: str, answer: AnswerRow, answered_at: str) -> None:
    """Record an answer in the transaction of its decisions."""
    values = {
        "key": key,
        "login": answer.login,
        "body_sha256": answer.body_sha256,
        "group": answer.group,
        "at": answered_at,
    }
    connection.execute(insert_into(connection, review_answers), [values])


def open_person_names(connection: Connection, prefix: str, limit: int) -> list[PersonSummary]:
    """Named persons whose name, or a word of it, begins with ``prefix`` in any case; most faces first."""
    return select_summaries(
        connection,
        [persons.c.name.is_not(None), persons.c.hidden.is_(False), name_matches(prefix)],
        limit,
    )


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
    connection: Connection, conditions: Sequence[ColumnElement[bool]], limit: int
) -> list[PersonSummary]:
    """Summaries of the persons that meet all conditions on ``persons`` and ``person_summaries``, most faces first."""
    query = _summary_query().where(*conditions)
    query = query.order_by(person_summaries.c.faces.desc(), persons.c.person_id).limit(limit)
    return _summaries(connection, query)
