"""Twenty mixed answers and their undo, on a catalogue made by script: every row is what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import catalog
from catalog.web.review_desk import ReviewDesk
from tests.review_catalogue import decided_rows, make_catalogue

FACES, PHOTOS, SIZE = 1500, 0, (1200, 900)
ANSWERS = 20


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue of 1,500 faces, 75 persons and questions about them, without photos."""
    make_catalogue(str(tmp_path / "catalog.sqlite3"), tmp_path, FACES, real_photos=PHOTOS, size=SIZE, questions=1)
    return tmp_path / "catalog.sqlite3"


def answer_to(desk: ReviewDesk, card: dict[str, Any], number: int) -> tuple[str, dict[str, Any]]:
    """The kind of the answer, in another way each time, and its body."""
    body = {"key": f"answer-{number}", "question": card["id"], "seen": card["seen"], "same_photo": True}
    if card["kind"] == "grid":
        tiles = [{"face": tile["face"], "as": "confirm" if tile["ticked"] else "reject"} for tile in card["tiles"]]
        return "grid", {**body, "answer": "confirm", "tiles": tiles}
    if card["kind"] == "pair":
        kind = ("yes", "no")[number % 2]
        return kind, {**body, "answer": kind}
    kind = ("name", "untick", "hide", "join")[number % 4]
    if kind == "hide":
        return kind, {**body, "answer": "hide"}
    if kind == "join":
        return kind, {**body, "answer": "name", "name": {"person": desk.names("person", None)[0]["person"]}}
    face = card["rows"][0]["tiles"][1]["face"]
    unticked = [{"face": face, "as": "reject"}] if kind == "untick" else []
    return kind, {**body, "answer": "name", "name": {"new": f"New {number}"}, "unticked": unticked}


def test_twenty_mixed_answers_are_undone_one_by_one(catalogue: Path) -> None:
    """Twenty undos give the rows before, twenty redos those after, the questions among them."""
    with catalog.open(catalogue) as library:
        desk = ReviewDesk(library)
        before = decided_rows(catalogue)
        kinds = set()
        for number in range(ANSWERS):
            kind, body = answer_to(desk, desk.cards(6)[0], number)
            assert desk.answer(body)["group"] is not None
            kinds.add(kind)
        assert kinds >= {"grid", "name", "untick", "hide", "join"}
        after = decided_rows(catalogue)
        undos = [desk.undo({"key": f"undo-{number}"})["undo"] for number in range(ANSWERS)]
        undone = decided_rows(catalogue)
        assert {name: undone[name] == before[name] for name in before} == dict.fromkeys(before, True)
        for number in reversed(undos):
            desk.undo({"key": f"redo-{number}", "group": number})
        again = decided_rows(catalogue)
        assert {name: again[name] == after[name] for name in after} == dict.fromkeys(after, True)
