"""Rows of the review queue: open questions, skipped questions and answers."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, delete, func, or_, select, update

from catalog.store.among import among
from catalog.store.catalogue_owner import catalogue_owner
from catalog.store.tables import (
    assignments,
    catalogue,
    decisions,
    faces,
    persons,
    review_answers,
    review_questions,
    review_skips,
)
from catalog.store.upsert import batches, insert_into

ANSWER_DAYS = 7
"""Days for which an answer is remembered, so that a repeated one changes nothing."""
KEPT_QUESTIONS = 20_000
"""Questions stored with one answer at most."""


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


_question_values = attrgetter(*(field.name for field in fields(QuestionRow)))
"""The values of a question, in the order of its fields."""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A recorded answer. ``group`` is None if it made no decision."""

    login: str
    body_sha256: str
    group: int | None


@dataclass(frozen=True, slots=True)
class ReviewState:
    """For which faces and decisions the counts per person and the questions are.

    ``newest_face`` is the highest row id of a face with a person; ``decision`` the number of the latest decision.
    """

    engine: str
    gallery: str
    newest_face: int
    decision: int

    def is_of(self, engine: str, gallery: str) -> bool:
        return (self.engine, self.gallery) == (engine, gallery)

    def after(self, decision: int) -> ReviewState:
        """The state after a later decision."""
        return replace(self, decision=decision)


def read_review_state(connection: Connection) -> ReviewState | None:
    """The state that :func:`write_review_state` stored; None before the first time."""
    text = connection.scalar(select(catalogue.c.review_state))
    return None if text is None else ReviewState(*json.loads(text))


def write_review_state(connection: Connection, state: ReviewState) -> None:
    """Note for which faces and decisions the counts and questions are."""
    catalogue_owner(connection)
    connection.execute(update(catalogue).values(review_state=json.dumps(astuple(state))))


def is_behind(connection: Connection) -> bool:
    """True if a decision was made that the counts and questions do not reflect; False if they were never computed."""
    newest = select(func.max(decisions.c.id)).scalar_subquery()
    row = connection.execute(select(catalogue.c.review_state, newest)).one_or_none()
    return row is not None and row[0] is not None and ReviewState(*json.loads(row[0])).decision != (row[1] or 0)


def newest_assigned_face(connection: Connection) -> int:
    """The highest row id of a face with a person, 0 without faces."""
    return int(connection.scalar(select(func.max(assignments.c.face_id))) or 0)


def replace_questions(connection: Connection, questions: Sequence[QuestionRow]) -> None:
    """Delete all questions and store these. Earlier answers can no longer restore their questions."""
    connection.execute(delete(review_questions))
    connection.execute(update(review_answers).values(questions=None))
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


@cache
def _all_questions() -> Select[Any]:
    columns = {"person": "person_id", "other": "other_id", "face": "face_id"}
    return select(*(review_questions.c[columns.get(field.name, field.name)] for field in fields(QuestionRow)))


@cache
def _question_query() -> Select[Any]:
    """Questions that are open: not skipped, and not about a face that has got a person or is no face."""
    skipped = (
        select(review_skips.c.id)
        .where(review_skips.c.person_id == review_questions.c.person_id)
        .where(func.coalesce(review_skips.c.other_id, 0) == func.coalesce(review_questions.c.other_id, 0))
        .where(func.coalesce(review_skips.c.face_id, 0) == func.coalesce(review_questions.c.face_id, 0))
    )
    assigned = select(assignments.c.face_id).where(assignments.c.face_id == review_questions.c.face_id)
    no_face = select(faces.c.id).where(faces.c.id == review_questions.c.face_id, faces.c.not_a_face.is_(True))
    return _all_questions().where(~skipped.exists(), ~assigned.exists(), ~no_face.exists())


def best_questions(connection: Connection, limit: int, *, min_chance: float) -> list[QuestionRow]:
    """Open questions with at least this chance of a yes, worth most first."""
    query = _question_query().where(review_questions.c.chance >= min_chance)
    query = query.order_by(review_questions.c.worth.desc(), review_questions.c.id).limit(limit)
    return [QuestionRow(*row) for row in connection.execute(query).all()]


def questions_about(connection: Connection, person: int, limit: int) -> list[QuestionRow]:
    """Open questions about a person, most likely first; at most ``limit``."""
    query = _question_query().where(or_(review_questions.c.person_id == person, review_questions.c.other_id == person))
    query = query.order_by(review_questions.c.chance.desc(), review_questions.c.id).limit(limit)
    return [QuestionRow(*row) for row in connection.execute(query)]


def likeliest_named(connection: Connection, person_rows: Sequence[int], *, min_chance: float) -> dict[int, QuestionRow]:
    """For each of these persons the question about a named person that is answered with yes most likely.

    Persons without such a question of at least ``min_chance`` are left out.
    """
    query = (
        _question_query()
        .join(persons, persons.c.id == review_questions.c.person_id)
        .where(review_questions.c.other_id.in_(list(person_rows)), review_questions.c.chance >= min_chance)
        .where(persons.c.name.is_not(None))
        .order_by(review_questions.c.chance, review_questions.c.id.desc())
    )
    questions = [QuestionRow(*row) for row in connection.execute(query)]
    return {question.other: question for question in questions if question.other is not None}


def questions_of(connection: Connection, persons: Iterable[int]) -> list[QuestionRow]:
    """All open questions about these persons, skipped ones included, in the order in which they were stored."""
    rows: dict[int, QuestionRow] = {}
    wanted = sorted(set(persons))
    for end in (review_questions.c.person_id, review_questions.c.other_id):
        for row in connection.execute(_all_questions().where(among(end, wanted))).all():
            rows[row.id] = QuestionRow(*row)
    return [rows[number] for number in sorted(rows)]


def read_question(connection: Connection, number: int) -> QuestionRow | None:
    """The question with this id; None if it was settled."""
    row = connection.execute(_question_query().where(review_questions.c.id == number)).one_or_none()
    return None if row is None else QuestionRow(*row)


def update_questions(
    connection: Connection, questions: Sequence[QuestionRow], before: Mapping[int, QuestionRow]
) -> None:
    """Store questions again under their ids. ``before`` has them as they are stored.

    Only the columns that changed are written: each of the others would be replaced in its index.
    """
    values_by_columns: dict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
    for question in questions:
        values, stored = _values(question), _values(before[question.id])
        names = tuple(name for name, value in values.items() if value != stored[name])
        values_by_columns[names].append({**{name: values[name] for name in names}, "number": question.id})
    for names, rows in values_by_columns.items():
        query = update(review_questions).where(review_questions.c.id == bindparam("number"))
        connection.execute(query.values({name: bindparam(name) for name in names}), rows)


def delete_questions(connection: Connection, numbers: Sequence[int]) -> None:
    """Delete settled questions."""
    if numbers:
        connection.execute(delete(review_questions).where(among(review_questions.c.id, numbers)))


def delete_many_about(connection: Connection, person_rows: Collection[int]) -> bool:
    """Delete the questions about persons, by row id, if they are more than one answer keeps. True if they were."""
    is_about = or_(*(among(end, person_rows) for end in (review_questions.c.person_id, review_questions.c.other_id)))
    count = connection.scalar(select(func.count()).select_from(review_questions).where(is_about)) or 0
    if count > KEPT_QUESTIONS:
        connection.execute(delete(review_questions).where(is_about))
    return count > KEPT_QUESTIONS


def keep_questions(connection: Connection, key: str, questions: Sequence[QuestionRow]) -> None:
    """Store the questions that an answer changed, as they were, with the answer; none if they are too many."""
    if 0 < len(questions) <= KEPT_QUESTIONS:
        text = json.dumps([_question_values(question) for question in questions])
        connection.execute(update(review_answers).where(review_answers.c.key == key).values(questions=text))


def restore_questions(connection: Connection, group: int) -> None:
    """Store the questions again that an answer changed, by its group of decisions. The answer was undone."""
    texts = connection.scalars(select(review_answers.c.questions).where(review_answers.c.group == group)).all()
    rows = [QuestionRow(*values) for text in texts if text is not None for values in json.loads(text)]
    known = _existing(connection, persons, [row.person for row in rows])
    known_others = _existing(connection, persons, [row.other for row in rows if row.other is not None])
    known_faces = _existing(connection, faces, [row.face for row in rows if row.face is not None])
    rows = [row for row in rows if row.person in known and row.other in {None, *known_others}]
    rows = [row for row in rows if row.face in {None, *known_faces}]
    delete_questions(connection, [row.id for row in rows])
    for batch in batches([{"id": row.id, **_values(row)} for row in rows]):
        connection.execute(insert_into(connection, review_questions), batch)


def _existing(connection: Connection, table: Table, row_ids: Iterable[int]) -> set[int]:
    return set(connection.scalars(select(table.c.id).where(among(table.c.id, set(row_ids)))))


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
