"""The review queue asks about the largest persons first, and records each answer once, as one group of decisions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.app import reviewing
from catalog.app.review_values import Choice, ReviewAnswer, ReviewConflictError
from catalog.domain.decisions import StatePayload, Verb
from catalog.domain.errors import PersonError, UsageError
from catalog.identities.decisions.log import append
from catalog.store.catalogued_faces import find_face
from catalog.store.face_order import FaceOrder
from catalog.store.review_rows import QuestionRow, read_review_state, replace_questions, write_review_state

PORTRAITS = Path(__file__).parent.parent / "fixtures"
"""Three photos of one man, one of another man, one of a woman."""


def test_the_first_card_is_the_person_with_most_faces(library):
    """Naming three faces at once is worth more than naming one."""
    first, *later_cards = library.review.cards()
    assert (first.kind, first.person.faces) == ("group", 3)
    assert {card.person.faces for card in later_cards} == {1}
    assert all(first.worth >= card.worth for card in later_cards)


def test_any_number_of_cards_begins_with_the_same(library, tmp_path):
    """Two persons with one face each: their public ids are in the other order than their rows."""
    *_, earlier, later = sorted(library.review.cards(), key=lambda card: (-card.person.faces, card.person.row))
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite3")) as connection, connection:
        for card, person_id in ((earlier, "p00000000"), (later, "pzzzzzzzz")):
            connection.execute("UPDATE persons SET person_id = ? WHERE id = ?", (person_id, card.person.row))
    cards = [card.id for card in library.review.cards(6)]
    assert len(cards) == 3
    for limit in (1, 2):
        assert [card.id for card in library.review.cards(limit)] == cards[:limit]


def test_an_answer_names_the_person_and_the_card_is_gone(library):
    """The status counts the named faces."""
    first = library.review.cards()[0]
    library.review.answer(ReviewAnswer("key-1", first.person.person_id, first.seen, name="Ann Example"))
    assert library.person("Ann Example").faces == 3
    assert first.id not in {card.id for card in library.review.cards()}
    status = library.review.status()
    assert (status.named, status.faces) == (3, 5)


def test_the_forecast_counts_each_person_once(library):
    """Five faces can be named at most."""
    status = library.review.status(answers=10)
    assert status.named == 0
    assert 3 <= status.forecast <= 5


def test_a_repeated_answer_changes_nothing(library):
    """The browser may send an answer twice."""
    first = library.review.cards()[0]
    answer = ReviewAnswer("key-1", first.person.person_id, first.seen, name="Ann Example")
    once, again = library.review.answer(answer), library.review.answer(answer)
    assert (once.group, once.is_repeat, again.group, again.is_repeat) == (once.group, False, once.group, True)
    assert len(library.decisions.history()) == 1


def test_a_key_is_not_used_for_another_answer(library):
    """The second answer is refused and nothing is written."""
    first, second, *_ = library.review.cards()
    library.review.answer(ReviewAnswer("key-1", first.person.person_id, first.seen, name="Ann Example"))
    with pytest.raises(UsageError, match="idempotency key"):
        library.review.answer(ReviewAnswer("key-1", second.person.person_id, second.seen, name="Bea Example"))
    assert len(library.decisions.history()) == 1


def test_unticked_faces_leave_the_person_in_the_same_group(library):
    """One undo reverts the name and the rejection."""
    first = library.review.cards()[0]
    face = library.faces(first.person.person_id)[0]
    answer = ReviewAnswer(
        "key-1", first.person.person_id, first.seen, name="Ann Example", choices=(Choice(face.face_id, "reject"),)
    )
    result = library.review.answer(answer)
    assert library.person("Ann Example").faces == 2
    library.review.undo(result.group)
    assert library.person(first.person.person_id).faces == 3
    assert library.person(first.person.person_id).name is None
    assert library.review.cards()[0].person.faces == 3


def test_the_next_scan_assigns_unticked_faces_to_another_person(library):
    """As the card says. Until then the face has no person. The scan finds no new photo."""
    first = library.review.cards()[0]
    face = library.faces(first.person.person_id)[0]
    library.review.answer(
        ReviewAnswer(
            "key-1", first.person.person_id, first.seen, name="Ann Example", choices=(Choice(face.face_id, "reject"),)
        )
    )
    assert sum(person.faces for person in library.people()) == 4
    for _ in library.scan([PORTRAITS]):
        pass
    assert sum(person.faces for person in library.people()) == 5
    assert library.person("Ann Example").faces == 2


def test_a_card_of_a_changed_person_is_a_conflict(library):
    """Another window, or a command, changed the person after the card was shown."""
    first = library.review.cards()[0]
    library.decisions.reject(library.faces(first.person.person_id)[0].face_id)
    library.review.refresh()
    with pytest.raises(ReviewConflictError):
        library.review.answer(ReviewAnswer("key-1", first.person.person_id, first.seen, name="Ann", faces_seen=3))
    assert library.person(first.person.person_id).name is None


def test_a_failed_answer_writes_nothing(library):
    """The name of an answer is not kept if one of its choices fails."""
    first = library.review.cards()[0]
    answer = ReviewAnswer(
        "key-1", first.person.person_id, first.seen, name="Ann", choices=(Choice("no such face", "reject"),)
    )
    with pytest.raises(PersonError):
        library.review.answer(answer)
    assert library.person(first.person.person_id).name is None
    assert library.decisions.history() == ()


def test_a_skipped_card_is_not_asked_again(library):
    """Not sure: the question returns after 30 days."""
    first = library.review.cards()[0]
    library.review.skip(first)
    assert first.id not in {card.id for card in library.review.cards()}


def test_a_skipped_card_returns_after_its_time(library):
    """The end of the time is noticed when the queue is computed again, as after each scan."""
    first = library.review.cards()[0]
    library.review.skip(first, days=-1)
    library.review.refresh()
    assert first.id in {card.id for card in library.review.cards()}


def test_names_are_offered_by_the_first_letters_of_a_word(library):
    """Two letters of a first or last name are enough."""
    first = library.review.cards()[0]
    library.review.answer(ReviewAnswer("key-1", first.person.person_id, first.seen, name="Ann Example"))
    for prefix in ("an", "ex", "ANN"):
        assert [person.name for person in library.review.names(prefix)] == ["Ann Example"]
    assert library.review.names("%") == ()


def test_a_person_joins_an_existing_one(library):
    """The merged card is gone, and the faces are counted under the name."""
    first, second, *_ = library.review.cards()
    library.review.answer(ReviewAnswer("key-1", first.person.person_id, first.seen, name="Ann Example"))
    library.review.answer(ReviewAnswer("key-2", second.person.person_id, second.seen, into=first.person.person_id))
    assert library.person("Ann Example").faces == 4
    assert second.id not in {card.id for card in library.review.cards()}


def test_hidden_persons_are_not_asked_about(library):
    """Hiding several persons is one group of decisions."""
    first, *later_cards = library.review.cards()
    choices = tuple(Choice(card.person.person_id, "hide") for card in later_cards)
    result = library.review.answer(ReviewAnswer("key-1", first.person.person_id, first.seen, choices=choices))
    assert [card.id for card in library.review.cards()] == [first.id]
    library.review.undo(result.group)
    assert len(library.review.cards()) == 1 + len(later_cards)


def test_a_new_scan_refreshes_the_queue_and_keeps_the_names(library):
    """Refreshing is the last step of a scan."""
    first = library.review.cards()[0]
    library.review.answer(ReviewAnswer("key-1", first.person.person_id, first.seen, name="Ann Example"))
    for _ in library.scan([PORTRAITS]):
        pass
    assert library.review.status().named == 3
    assert first.id not in {card.id for card in library.review.cards()}


def test_faces_are_read_for_chosen_cards_only(library, monkeypatch):
    """Hundreds of questions are stored. The status needs no face of theirs, and a card those of its own tiles."""
    largest, one, two = [card.person for card in library.review.cards(3)]
    pairs = [
        QuestionRow(largest.row, other.row, None, 90.0, 0.9, 1, 1000.0 - number, None)
        for number, other in enumerate((one, two))
    ]
    with library._resources.database.begin() as connection:
        replace_questions(connection, pairs)
    read, cover_faces = [], reviewing.cover_faces

    def recorded(connection, rows, **gallery):
        read.append(list(rows))
        return cover_faces(connection, rows, **gallery)

    monkeypatch.setattr(reviewing, "cover_faces", recorded)
    library.review.status()
    assert read == []
    (card,) = library.review.cards(1)
    assert read == [[one.row]]
    assert [tile.face for tile in card.tiles] == list(library.review.faces(one.person_id, FaceOrder.CLEAREST, 1))


@pytest.fixture
def paired(library):
    """Questions whether the largest person is one of two others, and whether these two are one."""
    largest, one, two = [card.person for card in library.review.cards(3)]
    pairs = [(largest, one), (largest, two), (one, two)]
    questions = [
        QuestionRow(person.row, other.row, None, 90.0, 0.9, 1, 1000.0 - number, None)
        for number, (person, other) in enumerate(pairs)
    ]
    with library._resources.database.begin() as connection:
        replace_questions(connection, questions)
    return largest.person_id, one.person_id, two.person_id


def asked_pairs(library):
    """The persons of each pair that is asked about."""
    cards = [card for card in library.review.cards(20) if card.other is not None]
    return {frozenset((card.person.person_id, card.other.person_id)) for card in cards}


def decide(library, key, pair, action):
    """Answer the question whether these two are one person."""
    (card,) = [
        card
        for card in library.review.cards(20)
        if card.other is not None and {card.person.person_id, card.other.person_id} == set(pair)
    ]
    answer = ReviewAnswer(key, card.person.person_id, card.seen, choices=(Choice(card.other.person_id, action),))
    return library.review.answer(answer).group


def test_pairs_can_come_last(library, paired):
    """They are worth most here. All cards stay, in the order of their worth."""
    first = library.review.cards(20)
    assert first[0].kind == "pair"
    last = library.review.cards(20, pairs_last=True)
    assert last == tuple(sorted(first, key=lambda card: card.kind == "pair"))
    assert [card.kind for card in library.review.cards(1, pairs_last=True)] == ["group"]


def test_a_pair_answered_with_no_is_not_asked_again(library, paired):
    """Nor after another scan. Its undo asks again."""
    largest, one, two = paired
    group = decide(library, "key-1", (largest, one), "separate")
    assert asked_pairs(library) == {frozenset((largest, two)), frozenset((one, two))}
    library.review.undo(group)
    assert asked_pairs(library) == {frozenset(pair) for pair in ((largest, one), (largest, two), (one, two))}


def test_a_no_settles_the_pairs_of_persons_that_are_merged_later(library, paired):
    """The largest person is not the first. The second joins the largest, so that it is not the first either."""
    largest, one, two = paired
    decide(library, "key-1", (largest, one), "separate")
    decide(library, "key-2", (largest, two), "merge")
    assert asked_pairs(library) == set()
    library.review.undo()
    assert asked_pairs(library) == {frozenset((largest, two)), frozenset((one, two))}


def test_a_merge_by_a_command_settles_questions(library, paired):
    """The pages reflect the decisions of other programs, before a scan computes the questions again."""
    largest, one, two = paired
    library.decisions.merge(largest, one)
    assert asked_pairs(library) == {frozenset((largest, two))}
    assert library.review.cards(1)[0].person.faces == 4
    library.decisions.name(largest, "Ann Example")
    assert library.review.status().named == 4


def test_questions_are_computed_at_the_start_only_if_they_are_old(library, paired):
    """A start after answers and commands keeps the questions; one after a scan that was killed does not."""
    library.decisions.hide(paired[2])
    library.review.prepare()
    assert asked_pairs(library) == {frozenset(paired[:2])}
    with library._resources.database.begin() as connection:
        state = read_review_state(connection)
        write_review_state(connection, replace(state, newest_face=state.newest_face - 1))
    library.review.prepare()
    assert asked_pairs(library) == set()


def test_a_forgotten_person_is_not_asked_about(library, paired):
    """Forgetting is a command. The faces of the others stay counted."""
    largest, one, two = paired
    library.forget(one)
    assert asked_pairs(library) == {frozenset((largest, two))}
    assert library.review.status().faces == 4


def test_an_undone_answer_that_is_done_again_can_be_undone_again(library, paired):
    """The questions that the answer settled return each time."""
    largest, one, two = paired
    group = decide(library, "key-1", (largest, one), "merge")
    undo = library.review.undo(group)
    redo = library.review.undo(undo)
    assert asked_pairs(library) == {frozenset((largest, two))}
    library.review.undo(redo)
    assert asked_pairs(library) == {frozenset(pair) for pair in ((largest, one), (largest, two), (one, two))}


def test_a_face_that_was_confirmed_is_not_asked_about_again(library):
    """Its undo asks again."""
    first, second = library.review.cards(2)
    face, other = library.faces(first.person.person_id)[0].face_id, second.person
    rejection = (Choice(face, "reject"),)
    library.review.answer(ReviewAnswer("key-0", first.person.person_id, first.seen, choices=rejection))
    with library._resources.database.begin() as connection:
        row = find_face(connection, face, engine="local", gallery="catalog").row
        replace_questions(connection, [QuestionRow(other.row, None, row, 90.0, 0.9, 1, 1000.0, None)])
    card = library.review.cards()[0]
    assert [tile.face.face_id for tile in card.tiles] == [face]
    group = library.review.answer(
        ReviewAnswer("key-1", other.person_id, card.seen, choices=(Choice(face, "confirm"),))
    ).group
    assert not any(card.tiles for card in library.review.cards())
    library.review.undo(group)
    assert [tile.face.face_id for card in library.review.cards() for tile in card.tiles] == [face]


def decide_about_many(library):
    """The decision of a command after which all questions are computed again."""
    resources = library._resources
    with resources.database.begin() as connection:
        return append(connection, Verb.IMPORT, resources.stamp(), payload=StatePayload())


def test_an_answer_does_not_hide_that_questions_are_old(library, paired):
    """A command grouped all persons again while a card was shown. The questions of the test are replaced."""
    largest = paired[0]
    cards = library.review.cards(20)
    decide_about_many(library)
    library.review.answer(ReviewAnswer("key-1", largest, cards[0].seen, name="Ann Example"))
    assert asked_pairs(library) == set()


def test_questions_are_computed_again_after_the_undo_of_a_command_about_many(library, paired):
    """As after the command."""
    number = decide_about_many(library)
    library.review.refresh()
    one, other = [card.person.row for card in library.review.cards(2)]
    with library._resources.database.begin() as connection:
        replace_questions(connection, [QuestionRow(one, other, None, 90.0, 0.9, 1, 1000.0, None)])
    library.decisions.undo(number)
    assert asked_pairs(library) == set()
