"""Counts per person after an answer equal those that are computed from all faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import catalog
from catalog.app import settling
from catalog.app.review_values import Card, Choice, ReviewAnswer
from catalog.store.person_summaries import refresh_summaries
from catalog.store.summary_growth import grow_summaries
from catalog.store.tables import person_summaries
from tests.review_catalogue import make_catalogue


@pytest.fixture
def library(tmp_path: Path) -> Iterator[catalog.Catalog]:
    """A catalogue of 1,200 faces and 60 persons with questions."""
    make_catalogue(str(tmp_path / "catalog.sqlite3"), tmp_path, 1_200, real_photos=1, size=(2000, 1500))
    with catalog.open(tmp_path / "catalog.sqlite3") as library:
        yield library


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """The persons whose counts were computed from their earlier counts, by answer."""
    calls: list[set[int]] = []

    def note(*arguments: Any, **options: Any) -> set[int]:
        calls.append(grow_summaries(*arguments, **options))
        return calls[-1]

    monkeypatch.setattr(settling, "grow_summaries", note)
    return calls


def check_counts(library: catalog.Catalog) -> None:
    """All counts are those of a computation from all faces, which they replace."""
    query = select(person_summaries).order_by(person_summaries.c.person_id)
    resources = library._resources
    with resources.database.begin() as connection:
        before = connection.execute(query).all()
        refresh_summaries(connection, engine=resources.settings.engine.name, gallery=resources.gallery)
        assert connection.execute(query).all() == before


def next_card(library: catalog.Catalog, kind: str) -> Card:
    return next(card for card in library.review.cards(100) if card.kind == kind)


def answer(library: catalog.Catalog, card: Card, **values: Any) -> None:
    library.review.answer(ReviewAnswer(card.id, card.person.person_id, card.seen, same_photo=True, **values))
    check_counts(library)


def test_a_merge_adds_the_counts_of_both_persons(library: catalog.Catalog, grown: list[set[int]]) -> None:
    named = next(person for person in library.people(named=True))
    card = next_card(library, "group")
    answer(library, card, into=named.person_id)
    assert len(grown[-1]) == 2
    assert library.person(named.person_id).faces == named.faces + card.person.faces


def test_a_grid_adds_merged_persons_and_single_faces(library: catalog.Catalog, grown: list[set[int]]) -> None:
    """A face that was another person's leaves that person, whose counts are computed again."""
    card = next_card(library, "grid")
    merged, *others = (Choice(tile.person_id, "merge") for tile in card.tiles if tile.person_id)
    apart = [Choice(other.target, "separate") for other in others]
    own = {merged.target, card.person.person_id, *(other.target for other in others)}
    stranger = next(person for person in library.people() if person.person_id not in own and person.faces > 2)
    face = library.faces(stranger.person_id)[0]
    answer(library, card, choices=(merged, *apart, Choice(face.face_id, "confirm")))
    assert len(grown[-1]) >= 2
    assert library.person(stranger.person_id).faces == stranger.faces - 1


def test_a_rejected_face_leaves_before_the_merge(library: catalog.Catalog, grown: list[set[int]]) -> None:
    """The merged person lost a face, so that its earlier counts do not tell the new ones."""
    named = next(person for person in library.people(named=True))
    card = next_card(library, "group")
    face = library.faces(card.person.person_id)[0]
    answer(library, card, into=named.person_id, choices=(Choice(face.face_id, "reject"),))
    assert grown[-1] == set()
    assert library.person(named.person_id).faces == named.faces + card.person.faces - 1


def test_an_undo_and_a_later_merge_keep_the_counts(library: catalog.Catalog, grown: list[set[int]]) -> None:
    named = next(person for person in library.people(named=True))
    card = next_card(library, "group")
    answer(library, card, into=named.person_id)
    library.review.undo()
    check_counts(library)
    pair = next_card(library, "pair")
    assert pair.other is not None
    answer(library, pair, choices=(Choice(pair.other.person_id, "merge"),))
    assert len(grown) == 2
    assert len(grown[-1]) == 2


def test_a_second_gallery_is_counted_face_by_face(library: catalog.Catalog, grown: list[set[int]]) -> None:
    """A face of another gallery has an assignment that does not count here."""
    with library._resources.database.begin() as connection:
        connection.exec_driver_sql("UPDATE faces SET gallery = 'other' WHERE id = 7")
    named = next(person for person in library.people(named=True))
    with library._resources.database.begin() as connection:
        refresh_summaries(connection, engine="local", gallery=library._resources.gallery)
    answer(library, next_card(library, "group"), into=named.person_id)
    assert grown[-1] == set()
