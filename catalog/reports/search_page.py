"""The page of `find-person --html`: one file with the reference faces, the matching faces and all images."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.reports.site.pages import standalone_page


@dataclass(frozen=True, slots=True)
class PageMatch:
    """A match. ``crop`` is a JPEG of the face, None if the photo cannot be read. ``place`` is the location as shown."""

    crop: bytes | None
    name: str | None
    person_id: str | None
    similarity: float
    taken_at: str | None
    place: str


def search_page(references: Sequence[bytes], matches: Sequence[PageMatch]) -> str:
    """Return the page as HTML. ``references`` are JPEGs of the reference faces."""
    rows = [
        {
            "crop": _data_uri(match.crop) if match.crop is not None else None,
            "label": match.name or (f"Unnamed {match.person_id}" if match.person_id else "Unassigned"),
            "similarity": f"{match.similarity:.1f}",
            "taken_at": match.taken_at or "no date",
            "place": match.place,
        }
        for match in matches
    ]
    return standalone_page("search.html", {"references": [_data_uri(jpeg) for jpeg in references], "matches": rows})


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
