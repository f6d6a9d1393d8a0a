"""Persons, and the source of an assignment."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from catalog.domain.errors import PersonError
from catalog.domain.uri import display_name


@dataclass(frozen=True, slots=True)
class Person:
    """A human being as the catalogue holds it.

    ``person_id`` is permanent; the id of a merged person redirects. ``birth_date`` is ``YYYY-MM-DD``; lists leave it
    None. ``faces`` and ``photos`` are those of one gallery, as in reports.
    """

    person_id: str
    name: str | None
    hidden: bool
    faces: int
    photos: int
    birth_date: str | None = None

    def __str__(self) -> str:
        return f'"{display_name(self.name)}" ({self.person_id})' if self.name else self.person_id


class AssignedBy(StrEnum):
    """Origin of the assignment of a face to a person. A machine never overrules a human."""

    CLUSTER = "cluster"
    HUMAN = "human"


MAX_NAME_LENGTH = 500
"""Longest name of a person in characters."""


def clean_name(name: str | None) -> str | None:
    """Return a name as it is stored: on one line, in Unicode normal form C. None for a name without visible characters.

    Raises ``PersonError`` for a name that is too long, is not valid UTF-8, or has a control character.
    """
    cleaned = unicodedata.normalize("NFC", " ".join((name or "").split()))
    if len(cleaned) > MAX_NAME_LENGTH:
        raise PersonError(
            f"The name has {len(cleaned):,} characters; at most {MAX_NAME_LENGTH} are allowed.",
            remedy="Shorten the name.",
        )
    categories = {unicodedata.category(char) for char in cleaned}
    if "Cs" in categories:  # bytes that the locale cannot decode
        raise PersonError("The name is not valid UTF-8.", remedy="Write it in UTF-8.")
    if "Cc" in categories:
        raise PersonError("The name has a control character.", remedy="Remove the character.")
    return cleaned if any(char.isprintable() for char in cleaned) else None
