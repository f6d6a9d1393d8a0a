"""The page of a search: the face of each reference, and each match cut out of its photo."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.app import finding, people
from catalog.app.photo_input import ReferenceFace
from catalog.app.resources import Resources
from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.uri import display, display_name
from catalog.identities.matching.find_person import FindResult, FoundFace
from catalog.reports.search_page import PageMatch, search_page

_SIDE = 256
"""Pixels of a crop."""


def find_page(
    resources: Resources, references: Sequence[Sequence[ReferenceFace]], results: Sequence[FindResult]
) -> bytes:
    crops = [
        finding.crop_photo(resources, group[0].photo, result.probes[0].box, _SIDE)
        for group, result in zip(references, results, strict=True)
        if group and result.probes
    ]
    matches = [
        PageMatch(
            crop=_crop(resources, match),
            name=display_name(match.name) if match.name else None,
            person_id=match.person_id,
            similarity=match.similarity,
            taken_at=match.taken.day if match.taken else None,
            place=display(match.uri or ""),
        )
        for result in results
        for match in result.matches
    ]
    return search_page(crops, matches).encode("utf-8", "backslashreplace")


def _crop(resources: Resources, match: FoundFace) -> bytes | None:
    """The face cut out of its photo; None if the photo cannot be read."""
    try:
        return finding.crop(resources, people.face(resources, match.face_id), _SIDE)
    except (PhotoError, SourceError):
        return None
