"""Answers of the review pages: JSON bodies, checked completely, as :class:`ReviewAnswer`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from catalog.app.review_values import Card, Choice, ReviewAnswer
from catalog.domain.errors import UsageError

MAX_TILES = 10_000
_MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """``answer`` is None for "not sure". ``text`` tells the user what was recorded."""

    answer: ReviewAnswer | None
    text: str


def read_json(body: bytes) -> dict[str, Any]:
    """The object in a request body. Raises UsageError."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UsageError("The request is not JSON.") from None
    if not isinstance(value, dict):
        raise UsageError("The request is not a JSON object.")
    return value


def text_of(body: dict[str, Any], name: str, *, longest: int = _MAX_TEXT) -> str:
    """A member that must be a text of 1 to ``longest`` characters. Raises UsageError."""
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise UsageError(f'"{name}" must be a text of 1 to {longest} characters.')
    return value


def flag_of(body: dict[str, Any], name: str) -> bool:
    """A member that must be true or false, false if it is missing. Raises UsageError."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f'"{name}" must be true or false.')
    return value


def number_of(body: dict[str, Any], name: str) -> int:
    """A member that must be a whole number of 0 or more. Raises UsageError."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise UsageError(f'"{name}" must be a number of 0 or more.')
    return value


def parse_answer(card: Card, body: dict[str, Any]) -> ParsedAnswer:
    """An answer to a card. Raises UsageError for a body that does not fit the card."""
    key = text_of(body, "key", longest=100)
    kind = text_of(body, "answer")
    if kind == "not_sure":
        return ParsedAnswer(None, "Not sure; asked again in 30 days")
    same_photo, same_name = flag_of(body, "same_photo"), flag_of(body, "same_name")
    parsers = {"group": _group, "pair": _pair, "grid": _grid}
    changes, text = parsers[card.kind](card, kind, body)
    answer = ReviewAnswer(key, card.person.person_id, card.seen, same_photo=same_photo, same_name=same_name, **changes)
    return ParsedAnswer(answer, text)


def _group(card: Card, kind: str, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if kind == "hide":
        return {"choices": (Choice(card.person.person_id, "hide"),)}, "1 person hidden"
    if kind != "name":
        raise _unknown(kind)
    choices = tuple(
        Choice(text_of(entry, "face"), _member(entry, "as", "reject", "not_a_face"))
        for entry in _objects(body, "unticked")
    )
    name = body.get("name")
    if not isinstance(name, dict):
        raise UsageError('"name" must be an object with "new" or "person".')
    changes: dict[str, Any] = {"choices": choices, "faces_seen": card.person.faces}
    if "person" in name:
        return {**changes, "into": text_of(name, "person")}, "Joined with an existing person"
    new = text_of(name, "new")
    return {**changes, "name": new}, f"{new} named"


def _pair(card: Card, kind: str, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if not card.tiles:
        raise UsageError("The pair has no second face.")
    face, other = card.tiles[0].face, card.other
    if kind == "hide":
        hidden = other or card.person
        if card.person.name is None and other is not None and other.name is not None:
            hidden = card.person
        if hidden.name is not None:
            raise UsageError("A named person is not hidden from a pair.")
        return {"choices": (Choice(hidden.person_id, "hide"),)}, "1 person hidden"
    if kind == "not_a_face":
        return {"choices": (Choice(text_of(body, "face"), "not_a_face"),)}, "Marked as not a face"
    if kind not in {"yes", "no"}:
        raise _unknown(kind)
    is_yes = kind == "yes"
    if other is not None:
        choice = Choice(other.person_id, "merge" if is_yes else "separate")
        return {"choices": (choice,)}, "Two people joined" if is_yes else "Two people separated"
    choice = Choice(face.face_id, "confirm" if is_yes else "reject")
    return {"choices": (choice,)}, "1 face confirmed" if is_yes else "1 face rejected"


def _grid(card: Card, kind: str, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if kind != "confirm":
        raise _unknown(kind)
    tiles = {tile.face.face_id: tile for tile in card.tiles}
    choices, confirmed = [], 0
    for entry in _objects(body, "tiles"):
        tile = tiles.get(text_of(entry, "face"))
        if tile is None:
            raise UsageError("A face of the answer does not belong to the card.")
        is_ticked = _member(entry, "as", "confirm", "reject") == "confirm"
        confirmed += tile.faces if is_ticked else 0
        if tile.person_id is not None:
            choices.append(Choice(tile.person_id, "merge" if is_ticked else "separate"))
        else:
            choices.append(Choice(tile.face.face_id, "confirm" if is_ticked else "reject"))
    if not choices:
        raise UsageError("The answer decides no face.")
    return {"choices": tuple(choices)}, f"{confirmed} faces confirmed"


def _objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = body.get(name, [])
    if not isinstance(values, list) or len(values) > MAX_TILES or not all(isinstance(value, dict) for value in values):
        raise UsageError(f'"{name}" must be a list of at most {MAX_TILES} objects.')
    return values


def _member(entry: dict[str, Any], name: str, *allowed: str) -> Any:
    value: Literal["confirm", "reject", "not_a_face"] | Any = entry.get(name)
    if value not in allowed:
        raise UsageError(f'"{name}" must be one of: {", ".join(allowed)}.')
    return value


def _unknown(kind: str) -> UsageError:
    return UsageError(f'"{kind[:50]}" is not an answer to this card.')


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
