"""The review queue: open questions with the chance of a yes, ordered by faces decided per second of the user.

The chance is a logistic function of the log-odds of the similarity. It was fitted on the answers that the labels of LFW
give to the suggestions of a scan of LFW, and of the same scan grouped with a higher linkage threshold. Both fits agree
(-7.4 + 1.8 L and -7.3 + 1.9 L); the first is used. LFW shows each person at about one age.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.domain.log_odds import share_of_odds, similarity_odds
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment.gallery_clustering import GroupingRules
from catalog.identities.assignment.suggestions import OpenQuestions, Question, read_open_questions
from catalog.identities.clustering.years_apart import odds_of_years
from catalog.store.assignment_lock import lock_persons
from catalog.store.decision_rows import last_decision_number
from catalog.store.person_summaries import PersonSummary, read_summaries, refresh_summaries
from catalog.store.review_rows import (
    ANSWER_DAYS,
    QuestionRow,
    ReviewState,
    delete_expired,
    newest_assigned_face,
    replace_questions,
    write_review_state,
)

INTERCEPT, SLOPE = -7.4, 1.8
ASKED_FROM = 0.6
"""Lowest chance of a yes of a question that is asked as a pair.

On two halves of the people of LFW, 12 of 14 and 17 of 20 questions from here are yes; from 0.5, 13 of 15 and 19 of 25.
"""
LISTED_FROM = 0.3
"""Lowest chance of a tile in the candidates grid of a person."""
CONFLICT_ASKED_FROM = 0.8
"""Lowest chance of a question whose faces differ in apparent age or gender. Not measured."""
CONFLICT_FACTOR = 0.25
"""Factor of the worth of such a question. Not measured."""
LONGEST_QUEUE = 200_000
"""Questions stored at most; those worth most are kept."""

GROUP_SECONDS, PAIR_SECONDS, GRID_SECONDS, TILE_SECONDS = 6.0, 2.0, 4.0, 0.15
"""Time that a user takes for one answer, and for one tile of a grid. Not measured."""
UNNAMED_SHARE = 0.3
"""Merging two persons without a name decides this share of the smaller one's faces: they still need a name."""
UNCLEAR_CHANCE, SINGLE_CHANCE = 0.05, 0.3
"""Chance that a user can name a person without a clear face, and a person with one face. Not measured."""


def yes_chance(similarity: float, years: float = 0.0) -> float:
    """Estimated probability that two faces or groups of this similarity (0-100) are one person.

    ``years`` are those between their photos, as :func:`years_apart` gives them.
    """
    return share_of_odds(INTERCEPT + SLOPE * (similarity_odds(similarity) + odds_of_years(years)))


def refresh_questions(
    connection: Connection, engine: Engine, rules: GroupingRules, *, gallery: str, now: datetime
) -> int:
    """Compute the counts per person and the questions again. Returns the number of questions.

    Deletes skips whose time has passed, and answers older than a week. Runs in the caller's transaction, under the lock
    of persons. No paid search is run.
    """
    lock_persons(connection)
    delete_expired(
        connection, skips_before=utc_text(now) or "", answers_before=utc_text(now - timedelta(days=ANSWER_DAYS)) or ""
    )
    refresh_summaries(connection, engine=engine.name, gallery=gallery)
    open_questions = read_open_questions(connection, engine, rules, gallery=gallery)
    persons = {int(person) for person in open_questions.table.person.tolist() if person >= 0}
    summaries = read_summaries(connection, persons)
    rows = [row for question in open_questions.questions if (row := _row(open_questions, question, summaries))]
    rows.sort(key=lambda row: (-row.worth, row.person, row.other or 0, row.face or 0))
    replace_questions(connection, rows[:LONGEST_QUEUE])
    newest_face, decision = newest_assigned_face(connection), last_decision_number(connection)
    write_review_state(connection, ReviewState(engine.name, gallery, newest_face, decision))
    return min(len(rows), LONGEST_QUEUE)


def _row(open_questions: OpenQuestions, question: Question, summaries: dict[int, PersonSummary]) -> QuestionRow | None:
    """The question as it is stored; None if a yes is too unlikely or no user could answer it."""
    table = open_questions.table
    person = int(table.person[question.face])
    other_person_row = None if question.is_single else int(table.person[question.other])
    chance = yes_chance(question.similarity, question.years)
    reason = open_questions.conflict_reason(question)
    if chance < (CONFLICT_ASKED_FROM if reason else LISTED_FROM):
        return None
    is_clear = person in summaries and summaries[person].clear_faces > 0
    if other_person_row is not None:
        is_clear = is_clear and other_person_row in summaries and summaries[other_person_row].clear_faces > 0
    elif not table.is_seed[question.other]:
        is_clear = False
    if not is_clear:
        return None
    is_named = person in summaries and summaries[person].name is not None
    return QuestionRow(
        person=person,
        other=other_person_row,
        face=int(table.row_ids[question.other]) if question.is_single else None,
        similarity=question.similarity,
        chance=chance,
        faces=question.faces,
        worth=pair_worth(question.faces, chance, is_named=is_named, has_conflict=reason is not None),
        reason=reason,
    )


def pair_worth(faces: int, chance: float, *, is_named: bool, has_conflict: bool) -> float:
    """Expected faces decided per second, for a question that decides so many faces."""
    decided = faces * (1.0 if is_named else UNNAMED_SHARE)
    return decided * chance / PAIR_SECONDS * (CONFLICT_FACTOR if has_conflict else 1.0)


def updated_question(row: QuestionRow, person: PersonSummary, other: PersonSummary | None) -> QuestionRow | None:
    """The question after a decision about its persons, the named person first. None if it is settled.

    ``person`` and ``other`` are the canonical persons now.
    """
    if person.hidden or (other is not None and (other.hidden or other.row == person.row)):
        return None
    if other is not None and other.name is not None:
        if person.name is not None:
            return None
        person, other = other, person
    faces = 1 if other is None else min(person.faces, other.faces)
    worth = pair_worth(faces, row.chance, is_named=person.name is not None, has_conflict=row.reason is not None)
    other_row = None if other is None else other.row
    return QuestionRow(person.row, other_row, row.face, row.similarity, row.chance, faces, worth, row.reason, row.id)


def group_chance(summary: PersonSummary) -> float:
    """Estimated probability that a user can name a person without a name."""
    if not summary.clear_faces:
        return UNCLEAR_CHANCE
    return SINGLE_CHANCE if summary.photos == 1 else 1.0


def group_worth(summary: PersonSummary) -> float:
    """Expected faces named per second, for a person without a name."""
    return summary.faces * group_chance(summary) / GROUP_SECONDS


def grid_worth(tiles: list[QuestionRow]) -> float:
    """Expected faces named per second, for the candidates grid of a named person."""
    expected = sum(tile.faces * tile.chance for tile in tiles)
    return expected / (GRID_SECONDS + TILE_SECONDS * len(tiles)) if tiles else 0.0
