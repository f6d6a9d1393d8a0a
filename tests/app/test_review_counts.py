"""Counts per person after an answer equal those that are computed from all faces."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

import catalog
from catalog.app import settling
from catalog.app.review_values import Card, Choice, ReviewAnswer
from catalog.store import review_rows
from catalog.store.browse_people import StrangerSelection
from catalog.store.face_order import FaceOrder
from catalog.store.person_summaries import refresh_summaries
from catalog.store.summary_growth import grow_summaries, part_summaries
from catalog.store.tables import person_summaries, review_answers, review_questions

both_databases = pytest.mark.parametrize("made_library", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def library(made_library: catalog.Catalog) -> catalog.Catalog:
    return made_library


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


@both_databases
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


@pytest.mark.parametrize("action", ["reject", "not_a_face"])
@pytest.mark.parametrize("index", [0, 1, -1])
def test_a_rejected_face_leaves_before_the_merge(
    library: catalog.Catalog, grown: list[set[int]], index: int, action: Any
) -> None:
    """It may be the first or the last one in time, or the cover."""
    named = next(person for person in library.people(named=True))
    card = next_card(library, "group")
    face = library.faces(card.person.person_id)[index]
    answer(library, card, into=named.person_id, choices=(Choice(face.face_id, action),))
    assert len(grown[-1]) == 2
    assert library.person(named.person_id).faces == named.faces + card.person.faces - 1


@both_databases
def test_a_name_without_the_clearest_face(library: catalog.Catalog, grown: list[set[int]]) -> None:
    """The cover is chosen again."""
    card = next_card(library, "group")
    (clearest,) = library.review.faces(card.person.person_id, FaceOrder.CLEAREST, 1)
    answer(library, card, name="Ann Example", choices=(Choice(clearest.face_id, "reject"),))
    assert len(grown[-1]) == 1
    other = next_card(library, "group")
    doubtful = library.review.faces(other.person.person_id, FaceOrder.CLEAREST, 3)[2]
    answer(library, other, name="Bea Example", choices=(Choice(doubtful.face_id, "reject"),))
    assert len(grown[-1]) == 1


@both_databases
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


@pytest.mark.parametrize("kind", ["group", "pair", "grid"])
def test_an_undo_of_merges_subtracts_the_counts_of_the_parted(
    library: catalog.Catalog, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The cover and the dates of the person may have been those of a person that is parted from it."""
    parted: list[set[int]] = []

    def note(*arguments: Any, **options: Any) -> set[int]:
        parted.append(part_summaries(*arguments, **options))
        return parted[-1]

    monkeypatch.setattr(settling, "part_summaries", note)
    for _ in range(6):
        card = next_card(library, kind)
        if kind == "group":
            named = library.people(named=True)[len(parted) % 2]
            answer(library, card, into=named.person_id)
        else:
            others = [tile.person_id for tile in card.tiles if tile.person_id][:3]
            answer(library, card, choices=tuple(Choice(other, "merge") for other in others))
    for _ in range(6):
        library.review.undo()
        check_counts(library)
    assert len(parted) == 6
    assert all(len(persons) >= 2 for persons in parted)


def test_a_person_that_lost_all_faces_has_no_counts(library: catalog.Catalog, grown: list[set[int]]) -> None:
    card = next_card(library, "group")
    choices = tuple(Choice(face.face_id, "reject") for face in library.faces(card.person.person_id))
    answer(library, card, name="Ann Example", choices=choices)
    assert grown[-1] == set()
    assert library.person("Ann Example").faces == 0


def test_an_undo_of_an_undo_counts_again(library: catalog.Catalog) -> None:
    named = next(person for person in library.people(named=True))
    answer(library, next_card(library, "group"), into=named.person_id)
    library.review.undo()
    library.review.redo()
    check_counts(library)


def test_a_second_gallery_is_counted_face_by_face(library: catalog.Catalog, grown: list[set[int]]) -> None:
    """A face of another gallery has an assignment that does not count here."""
    with library._resources.database.begin() as connection:
        connection.exec_driver_sql("UPDATE faces SET gallery = 'other' WHERE id = 7")
    named = next(person for person in library.people(named=True))
    with library._resources.database.begin() as connection:
        refresh_summaries(connection, engine="local", gallery=library._resources.gallery)
    answer(library, next_card(library, "group"), into=named.person_id)
    assert grown[-1] == set()


def test_the_similarities_to_a_person_are_those_of_its_candidates(library: catalog.Catalog) -> None:
    card = next_card(library, "grid")
    person = card.person.person_id
    tiles = {tile.person_id: tile.similarity for tile in library.review.candidates(person) if tile.person_id}
    assert library.review.similarities(person) == tiles != {}


@both_databases
def test_strangers_hidden_in_bulk_leave_the_questions_that_others_leave(
    library: catalog.Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The undo keeps all that is left: too many questions are not stored with an answer."""
    resources = library._resources

    def questions() -> list[Any]:
        with resources.database.read() as connection:
            return connection.execute(select(review_questions).order_by(review_questions.c.id)).all()

    def kept_texts() -> list[str | None]:
        with resources.database.read() as connection:
            return list(connection.scalars(select(review_answers.c.questions)))

    selection = StrangerSelection(fewer_than=12)
    count = library.browse.strangers(selection).count
    before = questions()
    monkeypatch.setattr(review_rows, "KEPT_QUESTIONS", len(before))
    library.review.hide_strangers(selection, key="all read", count=count)
    left, read = questions(), kept_texts()
    library.review.undo()
    assert questions() == before
    monkeypatch.setattr(review_rows, "KEPT_QUESTIONS", 5)
    monkeypatch.setattr(settling, "_BULK", 1)
    library.review.hide_strangers(selection, key="in bulk", count=count)
    assert 0 < len(left) < len(before) - 5
    assert questions() == left
    assert [text is None for text in (*read, *kept_texts())].count(True) == 1
    library.review.undo()
    assert questions() == left
    check_counts(library)
