"""Named appearances in the payload of a decision: ``[sha256, [[person_id, box or null, source, named_at], ...]]``."""

from __future__ import annotations

from catalog.domain.decisions import PhotoAppearances, StatedAppearance
from catalog.store.checked_values import (
    MalformedValueError,
    checked_box,
    checked_list,
    checked_person_id,
    checked_sha256,
    checked_text,
    checked_time,
)

_FIELD = "before.appearances"


def appearances_json(photo: PhotoAppearances) -> list[object]:
    """The appearances of one photo as JSON holds them."""
    return [photo.sha256, [_stated_json(stated) for stated in photo.appearances]]


def checked_appearances(value: object) -> PhotoAppearances:
    """Read what :func:`appearances_json` writes. Raises ``MalformedValueError`` for anything else."""
    parts = checked_list(value, _FIELD)
    if len(parts) != 2:
        raise MalformedValueError(f'"{_FIELD}" is not a content hash and a list')
    stated = tuple(map(_checked_stated, checked_list(parts[1], _FIELD)))
    return PhotoAppearances(checked_sha256(parts[0], _FIELD), stated)


def _stated_json(stated: StatedAppearance) -> list[object]:
    box = stated.box
    edges = None if box is None else [box.left, box.top, box.width, box.height]
    return [stated.person_id, edges, stated.source, stated.named_at]


def _checked_stated(value: object) -> StatedAppearance:
    parts = checked_list(value, _FIELD)
    if len(parts) != 4:
        raise MalformedValueError(f'"{_FIELD}" is not a person, a box, a source and a time')
    person_id, edges, source, named_at = parts
    return StatedAppearance(
        checked_person_id(person_id, _FIELD),
        None if edges is None else checked_box(checked_list(edges, _FIELD), _FIELD),
        checked_text(source, _FIELD),
        checked_time(named_at, _FIELD),
    )
