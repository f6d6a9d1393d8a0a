"""A watch hit as JSON: printed by commands and passed to post commands."""

from __future__ import annotations

from catalog.identities.matching.watch_hits import REVIEW as REVIEW
from catalog.identities.matching.watch_hits import WatchHit


def hit_json(hit: WatchHit) -> dict[str, object]:
    """All fields of a hit, the name on the watch list included."""
    return {
        "hit": hit.number,
        "watch": hit.watch,
        "state": hit.state,
        "similarity": hit.similarity,
        "margin": hit.margin,
        "uri": hit.face.uri,
        "face": hit.face.face_id,
        "person": hit.face.person_id,
        "name": hit.face.name,
        "taken_at": hit.face.taken_at.isoformat() if hit.face.taken_at else None,
        "found_at": hit.found_at.isoformat(),
        "reviewed_by": hit.reviewed_by,
        "review": REVIEW,
    }
