"""Review: the next questions to a user, and answers that are recorded once, each as one group of decisions."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from catalog.app.card_faces import FaceRow, card_faces, faces_in_order
from catalog.app.resources import Resources
from catalog.app.review_values import (
    Card,
    Choice,
    ReviewAnswer,
    ReviewConflictError,
    ReviewResult,
    ReviewStatus,
    Tile,
)
from catalog.domain.errors import PersonError, UsageError
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment import review_queue
from catalog.identities.assignment.review_queue import ASKED_FROM, LISTED_FROM
from catalog.identities.decisions import undo as undoing
from catalog.identities.decisions import verbs
from catalog.identities.decisions.log import DecisionStamp
from catalog.store import review_rows
from catalog.store.catalogued_faces import (
    CataloguedFace,
    FaceOrder,
    catalogued_faces_by_row,
    faces_of_person,
    find_face,
)
from catalog.store.decision_rows import decisions_of_group, last_decision_number
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow, canonical_person
from catalog.store.review_rows import AnswerRow, PersonSummary, QuestionRow

SKIP_DAYS = 30
GRID_TILES = 24
"""Tiles of one candidates grid at most."""
GRID_FROM = 3
"""A named person with at least this many candidates is asked about as a grid."""
CARDS_READ = 400
"""Stored questions read to choose the next cards."""


class Review:
    """Questions and answers of the review. Methods may be called from several threads."""

    def __init__(self, resources: Callable[[], Resources]) -> None:
        self._resources = resources

    def refresh(self) -> int:
        """Compute the questions again. Returns their number."""
        resources = self._resources()
        with resources.database.begin() as connection:
            return review_queue.refresh_questions(
                connection, resources.engine, resources.rules, gallery=resources.gallery, now=datetime.now(UTC)
            )

    def status(self, answers: int = 10) -> ReviewStatus:
        """Counts of named faces, now and after the next ``answers`` answers as expected."""
        with self._resources().database.read() as connection:
            totals = review_rows.read_totals(connection)
            cards = self._cards(connection, answers, ())
        settled: dict[str, float] = {}
        for card in cards:
            settled.setdefault(card.person.person_id, card.settles)
        forecast = totals.named + round(sum(settled.values()))
        return ReviewStatus(
            totals.faces, totals.named, totals.hidden, totals.unnamed_persons, answers, min(forecast, totals.faces)
        )

    def cards(self, limit: int = 6, *, excluded: Sequence[str] = ()) -> tuple[Card, ...]:
        """The next cards, worth most first. ``excluded`` are ids of cards."""
        with self._resources().database.read() as connection:
            return tuple(self._cards(connection, limit, excluded))

    def candidates(self, person: str, *, limit: int = GRID_TILES) -> tuple[Tile, ...]:
        """Faces and persons that may be this person, most likely first."""
        with self._resources().database.read() as connection:
            row = find_person(connection, person)
            return self._tiles(connection, review_rows.questions_about(connection, row.id)[:limit], row.id)

    def card_faces(self, person: str) -> tuple[FaceRow, ...]:
        """At most 24 faces of a person to show on a card: the clearest, the most doubtful, the oldest and newest."""
        return card_faces(self._resources(), person)

    def faces(self, person: str, order: FaceOrder, limit: int = 100) -> tuple[CataloguedFace, ...]:
        """Faces of a person in the gallery in use, in an order for display."""
        return faces_in_order(self._resources(), person, order, limit)

    def names(self, prefix: str, *, limit: int = 8) -> tuple[PersonSummary, ...]:
        """Named persons whose name, or a word of it, begins with the prefix; most faces first."""
        with self._resources().database.read() as connection:
            return tuple(review_rows.open_person_names(connection, prefix, limit))

    def skip(self, card: Card, *, days: int = SKIP_DAYS) -> None:
        """Record that the user is not sure: the question is asked again after ``days`` days."""
        until = utc_text(datetime.now(UTC) + timedelta(days=days)) or ""
        with self._resources().database.begin() as connection:
            for question in [
                row for tile in card.tiles if (row := review_rows.read_question(connection, tile.question))
            ]:
                review_rows.add_skip(connection, question, until)
            if card.kind == "group":
                review_rows.add_skip(
                    connection, QuestionRow(card.person.row, None, None, 0.0, 0.0, 0, 0.0, None), until
                )

    def answer(self, answer: ReviewAnswer) -> ReviewResult:
        """Record an answer as one group of decisions, in one transaction.

        The same key with the same answer changes nothing and returns the first result. Raises ReviewConflictError if a
        person of the card changed since it was shown, UsageError for a key that was used for another answer, and
        PersonError as the decisions do.
        """
        resources = self._resources()
        body = hashlib.sha256(json.dumps(asdict(replace(answer, key="")), sort_keys=True).encode()).hexdigest()
        now = datetime.now(UTC)
        with resources.database.begin() as connection:
            known = review_rows.read_answer(connection, answer.key)
            if known is not None:
                if known.body_sha256 != body:
                    raise UsageError("The idempotency key was used for another answer.", remedy="Reload the page.")
                return ReviewResult(known.group, is_repeat=True)
            stamp = resources.stamp().grouped()
            touched = self._apply(connection, resources, answer, stamp)
            row = AnswerRow(stamp.who, body, stamp.group)
            review_rows.add_answer(connection, answer.key, row, utc_text(now) or "")
            self._settle(connection, resources, touched)
        return ReviewResult(stamp.group)

    def undo(self, group: int | None = None) -> int:
        """Revert a group of decisions; default: the latest answer. Returns the number of the undo."""
        resources = self._resources()
        with resources.database.begin() as connection:
            number, decision = undoing.undo(connection, group, resources.stamp())
            decisions = decisions_of_group(connection, decision.group) if decision.group else [decision]
            named = {person for row in decisions for person in (row.person_id, row.other_person_id) if person}
            touched = {row.id for person in named if (row := _person(connection, person))}
            self._settle(connection, resources, touched)
        return number

    def _apply(
        self, connection: Connection, resources: Resources, answer: ReviewAnswer, stamp: DecisionStamp
    ) -> set[int]:
        """Make the decisions of an answer. Returns the row ids of all persons that they concern."""
        person = find_person(connection, answer.person)
        self._check_unchanged(connection, person, answer)
        touched = {person.id}
        for choice in answer.choices:
            touched |= _choose(connection, resources, person, choice, stamp, same_photo=answer.same_photo)
        if answer.into is not None:
            target = find_person(connection, answer.into)
            touched.add(target.id)
            verbs.merge_persons(connection, target, person, stamp, same_photo=answer.same_photo)
        elif answer.name is not None:
            verbs.name_person(connection, find_person(connection, person.person_id), answer.name, stamp)
        return touched

    def _check_unchanged(self, connection: Connection, person: PersonRow, answer: ReviewAnswer) -> None:
        if person.person_id != answer.person:
            raise ReviewConflictError(f"{answer.person} was merged since this card was shown.")
        if answer.faces_seen is not None:
            summary = review_rows.read_summaries(connection, [person.id]).get(person.id)
            if summary is None or summary.faces != answer.faces_seen:
                raise ReviewConflictError(f"{person} was changed since this card was shown.")

    def _settle(self, connection: Connection, resources: Resources, touched: set[int]) -> None:
        """Update the counts of the persons, and delete the questions about them that are settled."""
        review_rows.refresh_summaries(
            connection, engine=resources.settings.engine.name, gallery=resources.gallery, rows=touched
        )
        settled: list[int] = []
        pairs: dict[tuple[int, int | None, int | None], int] = {}
        for row in {
            row.id: row for person in touched for row in review_rows.questions_about(connection, person)
        }.values():
            canonical = [canonical_person(connection, person).id for person in (row.person, row.other) if person]
            summaries = review_rows.read_summaries(connection, canonical)
            changed = (
                review_queue.updated_question(
                    row, summaries[canonical[0]], summaries[canonical[1]] if row.other is not None else None
                )
                if all(person in summaries for person in canonical)
                else None
            )
            key = None if changed is None else (changed.person, changed.other, changed.face)
            if changed is None or key is None or key in pairs:
                settled.append(row.id)
                continue
            pairs[key] = row.id
            review_rows.update_question(connection, changed)
        review_rows.delete_questions(connection, settled)

    def _cards(self, connection: Connection, limit: int, excluded: Sequence[str]) -> list[Card]:
        seen = last_decision_number(connection)
        groups = review_rows.largest_unnamed(connection, limit + len(excluded))
        cards = [
            Card(
                f"group-{summary.person_id}",
                "group",
                summary,
                review_queue.group_worth(summary),
                review_queue.group_chance(summary),
                summary.faces * review_queue.group_chance(summary),
                seen=seen,
            )
            for summary in groups
        ]
        cards += self._question_cards(connection, seen)
        cards = [card for card in cards if card.id not in set(excluded)]
        cards.sort(key=lambda card: (-card.worth, -card.person.faces, card.person.person_id, card.id))
        return cards[:limit]

    def _question_cards(self, connection: Connection, seen: int) -> list[Card]:
        rows = review_rows.best_questions(connection, CARDS_READ, min_chance=LISTED_FROM)
        persons = {row.person for row in rows} | {row.other for row in rows if row.other is not None}
        summaries = review_rows.read_summaries(connection, persons)
        by_person: dict[int, list[QuestionRow]] = defaultdict(list)
        for row in rows:
            if row.person in summaries and (row.other is None or row.other in summaries):
                by_person[row.person].append(row)
        cards = []
        for person, questions in by_person.items():
            summary = summaries[person]
            if summary.name is not None and len(questions) >= GRID_FROM:
                cards.append(self._grid(connection, summary, questions, seen))
                continue
            cards += [
                self._pair(connection, summary, question, summaries, seen)
                for question in questions
                if question.chance >= ASKED_FROM
            ]
        return cards

    def _grid(self, connection: Connection, summary: PersonSummary, rows: list[QuestionRow], seen: int) -> Card:
        rows = sorted(rows, key=lambda row: (-row.chance, row.id))[:GRID_TILES]
        return Card(
            f"grid-{summary.person_id}-{rows[0].id}",
            "grid",
            summary,
            review_queue.grid_worth(rows),
            max(row.chance for row in rows),
            sum(row.faces * row.chance for row in rows),
            tiles=self._tiles(connection, rows, summary.row),
            seen=seen,
        )

    def _pair(
        self,
        connection: Connection,
        summary: PersonSummary,
        row: QuestionRow,
        summaries: Mapping[int, PersonSummary],
        seen: int,
    ) -> Card:
        share = 1.0 if summary.name else review_queue.UNNAMED_SHARE
        return Card(
            f"pair-{row.id}",
            "pair",
            summary,
            row.worth,
            row.chance,
            row.faces * row.chance * share,
            other=None if row.other is None else summaries[row.other],
            tiles=self._tiles(connection, [row], summary.row),
            reason=row.reason,
            seen=seen,
        )

    def _tiles(self, connection: Connection, rows: Sequence[QuestionRow], person: int) -> tuple[Tile, ...]:
        """A tile for each question about ``person``: the unassigned face, or a face of the other person."""
        faces = catalogued_faces_by_row(connection, [row.face for row in rows if row.face is not None])
        tiles = []
        for row in rows:
            if row.face is not None:
                if row.face in faces:
                    tiles.append(Tile(row.id, row.similarity, row.chance, 1, faces[row.face]))
                continue
            other = row.person if row.other == person else row.other
            summary = review_rows.read_summaries(connection, [other or 0]).get(other or 0)
            if summary is None:
                continue
            shown = faces_of_person(connection, find_person(connection, summary.person_id), limit=1)
            if shown:
                tiles.append(Tile(row.id, row.similarity, row.chance, summary.faces, shown[0], summary.person_id))
        return tuple(tiles)


def _choose(
    connection: Connection,
    resources: Resources,
    person: PersonRow,
    choice: Choice,
    stamp: DecisionStamp,
    *,
    same_photo: bool,
) -> set[int]:
    """Apply one choice. Returns the row ids of the persons that it concerns."""
    chosen = resources.settings.engine
    if choice.action in ("merge", "separate", "hide"):
        other = find_person(connection, choice.target)
        if choice.action == "merge":
            verbs.merge_persons(connection, person, other, stamp, same_photo=same_photo)
        elif choice.action == "separate":
            verbs.separate_persons(connection, person, other, stamp)
        else:
            verbs.set_hidden(connection, other, True, stamp)
        return {person.id, other.id}
    face = find_face(connection, choice.target, engine=chosen.name, gallery=chosen.gallery)
    holder = _person(connection, face.person_id) if face.person_id else None
    if choice.action == "confirm":
        confirm = verbs.confirm_beside if same_photo else verbs.confirm_face
        confirm(connection, face, person, stamp)
    elif choice.action == "reject":
        verbs.reject_face(connection, face, person, stamp)
    else:
        verbs.mark_not_a_face(connection, face, stamp)
    return {person.id} | ({holder.id} if holder else set())


def _person(connection: Connection, person_id: str) -> PersonRow | None:
    try:
        return find_person(connection, person_id)
    except PersonError:
        return None
