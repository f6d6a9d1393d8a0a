"""Changes outside a card: JSON bodies, checked completely, as :class:`Repair` and :class:`StrangerSelection`."""

from __future__ import annotations

from typing import Any

from catalog.app.review_values import Repair
from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.store.browse_people import StrangerSelection
from catalog.web.review_answers import MAX_TILES, flag_of, number_of, text_of

_ACTIONS = ("move", "split", "not_a_face", "rename", "merge", "hide", "unhide")
_ABOUT_FACES = ("move", "split", "not_a_face")


def parse_repair(body: dict[str, Any]) -> tuple[Repair, str]:
    """The change, and a sentence that tells the user what was recorded. Raises UsageError."""
    action = body.get("action")
    if action not in _ACTIONS:
        raise UsageError(f'"action" must be one of: {", ".join(_ACTIONS)}.')
    faces = _faces(body)
    if action in _ABOUT_FACES and not faces:
        raise UsageError("No face is picked.")
    person = text_of(body, "person") if body.get("person") is not None else None
    if person is None and action not in ("move", "not_a_face"):
        raise UsageError('"person" must be the id of a person.')
    name, into = _name(body) if action in ("move", "rename", "merge") else (None, None)
    if (action == "merge" and into is None) or (action == "rename" and into is not None):
        raise UsageError('"name" does not fit the action.')
    repair = Repair(
        text_of(body, "key", longest=100),
        number_of(body, "seen"),
        action,
        person,
        faces,
        name,
        into,
        same_photo=flag_of(body, "same_photo"),
        same_name=flag_of(body, "same_name"),
    )
    count = f"{len(faces):,} face{'' if len(faces) == 1 else 's'}"
    texts = {
        "move": f"{count} moved" + (f" to {display_name(name)}" if name else ""),
        "split": f"{count} split off",
        "not_a_face": f"{count} marked as not a face",
        "rename": f"{display_name(name)} named" if name else "Name removed",
        "merge": "Two people joined",
        "hide": "1 person hidden",
        "unhide": "1 person shown again",
    }
    return repair, texts[action]


def parse_strangers(body: dict[str, Any]) -> StrangerSelection:
    """The strangers that a body names by ``photo``, ``album`` or ``fewer_than``. Raises UsageError."""
    named = [name for name in ("photo", "album", "fewer_than") if body.get(name) is not None]
    if len(named) != 1:
        raise UsageError('Give one of "photo", "album" and "fewer_than".')
    if named[0] == "fewer_than":
        return StrangerSelection(fewer_than=number_of(body, "fewer_than"))
    if named[0] == "album":
        return StrangerSelection(album=text_of(body, "album", longest=4_000).rstrip("/") + "/")
    return StrangerSelection(photo=text_of(body, "photo", longest=64))


def _faces(body: dict[str, Any]) -> tuple[str, ...]:
    faces = body.get("faces", [])
    if not isinstance(faces, list) or len(faces) > MAX_TILES:
        raise UsageError(f'"faces" must be a list of at most {MAX_TILES} ids.')
    return tuple(dict.fromkeys(text_of({"faces": face}, "faces") for face in faces))


def _name(body: dict[str, Any]) -> tuple[str | None, str | None]:
    """The new name and the id of the existing person; both None to remove a name."""
    name = body.get("name")
    if name is None:
        return None, None
    if not isinstance(name, dict):
        raise UsageError('"name" must be an object with "new" or "person".')
    if "person" in name:
        return None, text_of(name, "person")
    return text_of(name, "new"), None
