"""Review: the next questions to a user, and answers that are recorded once, each as one group of decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from catalog.app import answering, repairing, review_history, settling
from catalog.app.card_faces import FaceRow, card_faces, faces_in_order
from catalog.app.resources import Resources
from catalog.app.review_history import UndoneGroups
from catalog.app.review_values import (
    Card,
    HistoryEntry,
    Repair,
    ReviewAnswer,
    ReviewResult,
    ReviewStatus,
    Tile,
)
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment import review_queue
from catalog.identities.assignment.review_queue import ASKED_FROM, LISTED_FROM
from catalog.store import review_rows
from catalog.store.assignment_lock import lock_persons
from catalog.store.browse_people import StrangerSelection, cover_faces
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row
from catalog.store.decision_rows import last_decision_number
from catalog.store.face_order import FaceOrder
from catalog.store.people import find_person
from catalog.store.person_summaries import (
    PersonSummary,
    largest_unnamed,
    open_person_names,
    read_summaries,
    read_totals,
)
from catalog.store.review_rows import QuestionRow

SKIP_DAYS = 30
GRID_TILES = 24
"""Tiles of one candidates grid at most."""
GRID_FROM = 3
"""A named person with at least this many candidates is asked about as a grid."""
CARDS_READ = 400
"""Stored questions read to choose the next cards."""

_CardRows = tuple[Card, Sequence[QuestionRow]]
"""A card without its tiles, and the questions of the tiles."""


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

    def prepare(self) -> None:
        """Compute the questions if no scan did so since the latest change of persons by a machine."""
        resources = self._resources()
        with resources.database.begin() as connection:
            lock_persons(connection)
            if settling.is_complete(connection) and settling.catch_up(connection, resources):
                return
        self.refresh()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection to questions that reflect all decisions, those of other programs included."""
        resources = self._resources()
        with resources.database.read() as connection:
            is_behind = review_rows.is_behind(connection)
        if is_behind:
            with resources.database.begin() as connection:
                lock_persons(connection)
                is_behind = not settling.catch_up(connection, resources)
            if is_behind:
                self.refresh()
        with resources.database.read() as connection:
            yield connection

    def status(self, answers: int = 10) -> ReviewStatus:
        """Counts of named faces, now and after the next ``answers`` answers as expected."""
        with self._reading() as connection:
            totals = read_totals(connection)
            cards = [card for card, _ in self._choose(connection, answers, ())]
        settled: dict[str, float] = {}
        for card in cards:
            settled.setdefault(card.person.person_id, card.settles)
        forecast = totals.named + round(sum(settled.values()))
        return ReviewStatus(
            totals.faces, totals.named, totals.hidden, totals.unnamed_persons, answers, min(forecast, totals.faces)
        )

    def cards(self, limit: int = 6, *, excluded: Sequence[str] = (), pairs_last: bool = False) -> tuple[Card, ...]:
        """The next cards, worth most first. ``excluded`` are ids of cards. ``pairs_last``: pairs follow all others."""
        with self._reading() as connection:
            chosen = self._choose(connection, limit, excluded, pairs_last=pairs_last)
            return tuple(self._with_tiles(connection, card, rows) for card, rows in chosen)

    def candidates(self, person: str, *, limit: int = GRID_TILES) -> tuple[Tile, ...]:
        """Faces and persons that may be this person, most likely first."""
        with self._reading() as connection:
            row = find_person(connection, person)
            return self._tiles(connection, review_rows.questions_about(connection, row.id, limit), row.id)

    def similarities(self, person: str, *, limit: int = GRID_TILES) -> dict[str, float]:
        """Similarity to the persons that may be this person, by id; the most likely ``limit`` candidates."""
        with self._reading() as connection:
            person_row = find_person(connection, person)
            questions = review_rows.questions_about(connection, person_row.id, limit)
            ends = [(end, row) for row in questions if (end := _other_end(row, person_row.id)) is not None]
            persons = read_summaries(connection, [end for end, _ in ends])
        return {persons[end].person_id: question.similarity for end, question in ends if end in persons}

    def likely_names(self, persons: Sequence[int], *, chance: float) -> dict[int, tuple[PersonSummary, float]]:
        """The named person that each of these persons most likely is, and the similarity, by row id.

        Persons without one of at least ``chance`` are left out.
        """
        with self._reading() as connection:
            questions = review_rows.likeliest_named(connection, persons, min_chance=chance)
            named = read_summaries(connection, {question.person for question in questions.values()})
        return {
            row: (named[question.person], question.similarity)
            for row, question in questions.items()
            if question.person in named
        }

    def candidates_card(self, person: str) -> Card | None:
        """A grid of the faces and persons that may be this person; None if there is none. Raises PersonError."""
        with self._reading() as connection:
            row = find_person(connection, person)
            summary = read_summaries(connection, [row.id]).get(row.id)
            questions = review_rows.questions_about(connection, row.id, GRID_TILES)
            if summary is None or not questions:
                return None
            return self._with_tiles(connection, *_grid(summary, questions, last_decision_number(connection)))

    def card_faces(self, person: str) -> tuple[FaceRow, ...]:
        """At most 24 faces of a person to show on a card: the clearest, the most doubtful, the oldest and newest."""
        return card_faces(self._resources(), person)

    def faces(self, person: str, order: FaceOrder, limit: int = 100) -> tuple[CataloguedFace, ...]:
        """Faces of a person in the gallery in use, in an order for display."""
        return faces_in_order(self._resources(), person, order, limit)

    def names(self, prefix: str, *, limit: int = 8) -> tuple[PersonSummary, ...]:
        """Named persons whose name, or a word of it, begins with the prefix; most faces first."""
        with self._reading() as connection:
            return tuple(open_person_names(connection, prefix, limit))

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
        person of the card changed since it was shown, SameNameError for a new name that another person has, UsageError
        for a key that was used for another answer, and PersonError as the decisions do.
        """
        return answering.record_once(
            self._resources(),
            answer.key,
            asdict(answer),
            lambda connection, resources, stamp: answering.apply_answer(connection, resources, answer, stamp),
        )

    def repair(self, repair: Repair) -> ReviewResult:
        """Change persons or faces outside a card, as one group of decisions. Raises as :meth:`answer`."""
        return answering.record_once(
            self._resources(),
            repair.key,
            asdict(repair),
            lambda connection, resources, stamp: repairing.apply_repair(connection, resources, repair, stamp),
        )

    def hide_strangers(self, selection: StrangerSelection, *, key: str, count: int) -> ReviewResult:
        """Hide persons without a name, as one group of decisions. ``count`` is the number that the user saw.

        Raises ReviewConflictError if the number is another one now, and UsageError as :meth:`answer`.
        """
        return answering.record_once(
            self._resources(),
            key,
            {**asdict(selection), "count": count},
            lambda connection, _, stamp: repairing.hide_strangers(connection, selection, count, stamp),
        )

    def undo(self, group: int | None = None) -> int:
        """Revert a group of decisions; default: the latest answer of this login. Returns the number of the undo.

        Raises BlockedUndoError, which names the groups, if later decisions build on it.
        """
        return self.undo_several(None if group is None else [group]).number

    def undo_several(self, groups: Sequence[int] | None) -> UndoneGroups:
        """Revert several groups, latest first, all or none; None: the latest answer of this login."""
        return review_history.undo_groups(self._resources(), groups)

    def redo(self) -> int:
        """Revert the latest undo in force of this login. Returns the number of the new decision."""
        return review_history.redo(self._resources())

    def history(self, *, limit: int = 50, before: int | None = None) -> tuple[HistoryEntry, ...]:
        """Groups of decisions, latest first. ``before``: number of the last group of the previous page."""
        return review_history.history(self._resources(), limit=limit, before=before)

    def seen(self) -> int:
        """The number of the latest decision."""
        with self._resources().database.read() as connection:
            return last_decision_number(connection)

    def _choose(
        self, connection: Connection, limit: int, excluded: Sequence[str], *, pairs_last: bool = False
    ) -> list[_CardRows]:
        """The next cards without their tiles, each with its questions."""
        seen = last_decision_number(connection)
        chosen: list[_CardRows] = [
            (_group(summary, seen), []) for summary in largest_unnamed(connection, limit + len(excluded))
        ]
        chosen += self._question_cards(connection, seen)
        chosen = [(card, rows) for card, rows in chosen if card.id not in set(excluded)]
        chosen.sort(key=lambda entry: (pairs_last and entry[0].kind == "pair", _order(entry[0])))
        return chosen[:limit]

    def _question_cards(self, connection: Connection, seen: int) -> list[_CardRows]:
        rows = review_rows.best_questions(connection, CARDS_READ, min_chance=LISTED_FROM)
        persons = {row.person for row in rows} | {row.other for row in rows if row.other is not None}
        summaries = read_summaries(connection, persons)
        by_person: dict[int, list[QuestionRow]] = defaultdict(list)
        for row in rows:
            if row.person in summaries and (row.other is None or row.other in summaries):
                by_person[row.person].append(row)
        cards: list[_CardRows] = []
        for person, questions in by_person.items():
            summary = summaries[person]
            if summary.name is not None and len(questions) >= GRID_FROM:
                cards.append(_grid(summary, questions, seen))
                continue
            cards += [
                _pair(summary, question, summaries, seen) for question in questions if question.chance >= ASKED_FROM
            ]
        return cards

    def _with_tiles(self, connection: Connection, card: Card, rows: Sequence[QuestionRow]) -> Card:
        return replace(card, tiles=self._tiles(connection, rows, card.person.row)) if rows else card

    def _tiles(self, connection: Connection, rows: Sequence[QuestionRow], person: int) -> tuple[Tile, ...]:
        """A tile for each question about ``person``: the unassigned face, or the clearest face of the other person."""
        faces = catalogued_faces_by_row(connection, [row.face for row in rows if row.face is not None])
        others = {row.id: _other_end(row, person) for row in rows if row.other is not None}
        summaries = read_summaries(connection, [other for other in others.values() if other is not None])
        resources = self._resources()
        covers = cover_faces(
            connection, list(summaries), engine=resources.settings.engine.name, gallery=resources.gallery
        )
        tiles = []
        for row in rows:
            if row.face is not None:
                if row.face in faces:
                    tiles.append(Tile(row.id, row.similarity, row.chance, 1, faces[row.face]))
                continue
            other = others.get(row.id)
            if other in summaries and other in covers:
                summary, face = summaries[other], covers[other]
                tiles.append(
                    Tile(row.id, row.similarity, row.chance, summary.faces, face, summary.person_id, summary.name)
                )
        return tuple(tiles)


def _other_end(row: QuestionRow, person: int) -> int | None:
    """The row id of the other person of a question about a person; None for a face."""
    return row.person if row.other == person else row.other


def _order(card: Card) -> tuple[float, int, int, str]:
    """Equal cards come in the order of :func:`largest_unnamed`, so that any number of cards begins with the same."""
    return -card.worth, -card.person.faces, -card.person.row, card.id


def _group(summary: PersonSummary, seen: int) -> Card:
    chance = review_queue.group_chance(summary)
    return Card(
        f"group-{summary.person_id}",
        "group",
        summary,
        review_queue.group_worth(summary),
        chance,
        summary.faces * chance,
        seen=seen,
    )


def _grid(summary: PersonSummary, rows: list[QuestionRow], seen: int) -> _CardRows:
    rows = sorted(rows, key=lambda row: (-row.chance, row.id))[:GRID_TILES]
    card = Card(
        f"grid-{summary.person_id}-{rows[0].id}",
        "grid",
        summary,
        review_queue.grid_worth(rows),
        max(row.chance for row in rows),
        sum(row.faces * row.chance for row in rows),
        seen=seen,
    )
    return card, rows


def _pair(summary: PersonSummary, row: QuestionRow, summaries: Mapping[int, PersonSummary], seen: int) -> _CardRows:
    share = 1.0 if summary.name else review_queue.UNNAMED_SHARE
    card = Card(
        f"pair-{row.id}",
        "pair",
        summary,
        row.worth,
        row.chance,
        row.faces * row.chance * share,
        other=None if row.other is None else summaries[row.other],
        reason=row.reason,
        seen=seen,
    )
    return card, [row]
