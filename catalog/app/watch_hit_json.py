"""A watch hit as JSON: printed by commands and passed to post commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog.domain.timestamps import utc_text

if TYPE_CHECKING:
    from catalog.identities.matching.watch_hits import WatchHit

REVIEW = "A hit is unreviewed. Compare both photos before acting on it."


def hit_json(hit: WatchHit, crop: Path | None = None) -> dict[str, object]:
    """All fields of a hit, the name on the watch list included. ``crop`` is the path of its crop, if it has one.

    The box is in fractions of the upright photo.
    """
    box = hit.face.box
    return {
        "hit": hit.number,
        "watch": hit.watch,
        "state": hit.state,
        "similarity": hit.similarity,
        "margin": hit.margin,
        "uri": hit.face.uri,
        "face": hit.face.face_id,
        "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height},
        "crop": None if crop is None else str(crop),
        "person": hit.face.person_id,
        "person_id": hit.face.person_id,
        "name": hit.face.name,
        "taken_at": utc_text(hit.face.taken_at),
        "taken_date": hit.face.taken.text if hit.face.taken else None,
        "found_at": utc_text(hit.found_at),
        "reviewed_by": hit.reviewed_by,
        "review": REVIEW,
    }
