"""Text and JSON of persons, faces and decisions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display_name

if TYPE_CHECKING:
    from catalog import CataloguedFace, Decision
    from catalog.domain.faces import BoundingBox


def counted(number: int, noun: str) -> str:
    """``1 face``, ``2 faces``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def path_text(path: Path) -> str:
    """A path on one line that cannot control a terminal."""
    return display_name(os.fsencode(path))


def box_text(box: BoundingBox) -> str:
    """Left, top, width and height in hundredths of the image: ``61,11 8x17%``."""
    return f"{box.left * 100:.0f},{box.top * 100:.0f} {box.width * 100:.0f}x{box.height * 100:.0f}%"


def box_json(box: BoundingBox) -> dict[str, float]:
    return {"left": box.left, "top": box.top, "width": box.width, "height": box.height}


def face_json(face: CataloguedFace) -> dict[str, object]:
    return {
        "face": face.face_id,
        "uri": face.uri,
        "taken_at": utc_text(face.taken_at),
        "taken_date": face.taken.text if face.taken else None,
        "box": box_json(face.box),
        "by": face.by,
        "similarity": face.similarity,
    }


def decision_line(decision: Decision) -> str:
    """Number, time, user, verb and subject of a decision."""
    parts = [
        decision.person_id,
        f'"{display_name(decision.name)}"' if decision.name else "",
        _other_person(decision),
        f"photo {decision.face.sha256[:8]}" if decision.face else "",
        *(f"photo {sha256[:8]}" for sha256 in getattr(decision.payload, "photos", ())),
        f"of decision {decision.targets[0]}" if decision.targets else "",
        f"(undone by {decision.undone_by})" if decision.undone_by else "",
    ]
    subject = " ".join(part for part in parts if part)
    time = f"{decision.decided_at:%Y-%m-%d %H:%M}"
    return f"{decision.number:6}  {time}  {display_name(decision.decided_by):12}  {decision.verb:10}  {subject}"


def _other_person(decision: Decision) -> str:
    if decision.verb == "merge":
        return f"<- {decision.other_person_id}"
    return f"-> {decision.other_person_id}" if decision.other_person_id else ""


def decision_json(decision: Decision) -> dict[str, object]:
    return {
        "decision": decision.number,
        "at": utc_text(decision.decided_at),
        "by": decision.decided_by,
        "verb": decision.verb,
        "person": decision.person_id,
        "person_id": decision.person_id,
        "other_person": decision.other_person_id,
        "name": decision.name,
        "photo_sha256": decision.face.sha256 if decision.face else None,
        "box": box_json(decision.face.box) if decision.face else None,
        "undone_by": decision.undone_by,
        "group": decision.group,
    }
