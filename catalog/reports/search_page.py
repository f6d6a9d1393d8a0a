"""What `find-person --html` gives: one file with the reference and the faces that match it, pictures included."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.reports.site.pages import standalone_page


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """One match: ``crop`` is a JPEG of the face, or None where the photo cannot be read."""

    crop: bytes | None
    name: str | None
    person_id: str | None
    similarity: float
    taken_at: str | None
    place: str


def found_page(references: Sequence[bytes], matches: Sequence[FoundPicture]) -> str:
    """The page, as HTML without any other file. ``references`` are JPEGs of the faces that were looked for."""
    rows = [
        {
            "crop": _data(match.crop) if match.crop is not None else None,
            "label": match.name or (f"Unnamed {match.person_id}" if match.person_id else "Nobody's"),
            "similarity": f"{match.similarity:.1f}",
            "taken_at": match.taken_at or "no date",
            "place": match.place,
        }
        for match in matches
    ]
    return standalone_page("found.html", {"references": [_data(each) for each in references], "matches": rows})


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
