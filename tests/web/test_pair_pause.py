"""Pair questions pause after five refusals in a row."""

from __future__ import annotations

from catalog.store.review_rows import QuestionRow, replace_questions
from catalog.web.pair_pause import CARDS, REFUSALS, PairPause


def refused(number: int, answer: str = "no") -> PairPause:
    pause = PairPause()
    for _ in range(number):
        pause.add("pair", answer)
    return pause


def test_five_refusals_in_a_row_begin_a_pause():
    """An answer of "not sure" is a refusal, too."""
    assert not refused(REFUSALS - 1).is_on
    assert refused(REFUSALS).is_on
    assert refused(REFUSALS, "not_sure").is_on
    assert not refused(REFUSALS, "yes").is_on


def test_a_confirmed_pair_interrupts_the_row_and_another_card_does_not():
    pause = refused(REFUSALS - 1)
    pause.add("pair", "yes")
    pause.add("pair", "no")
    assert not pause.is_on
    pause = refused(REFUSALS - 1)
    pause.add("group", "name")
    pause.add("pair", "no")
    assert pause.is_on


def test_a_pause_ends_after_ten_cards():
    """Then five further refusals begin the next one."""
    pause = refused(REFUSALS)
    for _ in range(CARDS - 1):
        pause.add("group", "name")
    assert pause.is_on
    pause.add("group", "hide")
    assert not pause.is_on
    for _ in range(REFUSALS):
        assert not pause.is_on
        pause.add("pair", "no")
    assert pause.is_on


def test_a_server_shows_other_cards_after_five_refusals(client, library):
    """Two pairs are worth most here, and come last then."""
    ask_about_pairs(library)
    for number in range(REFUSALS):
        (card,) = client.get("/api/questions?limit=1")["questions"]
        assert card["kind"] == "pair"
        body = {"question": card["id"], "seen": card["seen"], "answer": "not_sure", "key": f"key-{number}"}
        assert client.post("/api/answers", body)[0] == 200
        ask_about_pairs(library)
    assert client.get("/api/questions?limit=1")["questions"][0]["kind"] == "group"
    assert client.get("/api/questions?limit=20")["questions"][-1]["kind"] == "pair"


def ask_about_pairs(library):
    """Ask whether the largest person is one of two others. An answer of "not sure" hides the question for 30 days."""
    largest, one, two = [card.person for card in library.review.cards(20) if card.kind == "group"][:3]
    questions = [QuestionRow(largest.row, other.row, None, 90.0, 0.9, 1, 1000.0, None) for other in (one, two)]
    with library._resources.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM review_skips")
        replace_questions(connection, questions)
