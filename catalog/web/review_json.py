"""Cards, faces and persons of the review as JSON."""

from __future__ import annotations

from typing import Any

from catalog.app.card_faces import FaceRow
from catalog.app.review_values import Card, ReviewStatus, Tile
from catalog.store.catalogued_faces import CataloguedFace
from catalog.store.face_order import FaceOrder
from catalog.store.person_summaries import PersonSummary

Json = dict[str, Any]

_ROW_TITLES = {
    FaceOrder.CLEAREST: ("Clearest", "sharp, frontal"),
    FaceOrder.DOUBTFUL: ("Most doubtful", "similarity to the group"),
    FaceOrder.OLDEST: ("Oldest and newest", "by date of the photo"),
}


def status_json(status: ReviewStatus) -> Json:
    return {
        "faces": status.faces,
        "named": status.named,
        "hidden": status.hidden,
        "unnamed_persons": status.unnamed_persons,
        "forecast": {"answers": status.answers, "named": status.forecast},
    }


def person_json(person: PersonSummary) -> Json:
    return {
        "person": person.person_id,
        "name": person.name,
        "faces": person.faces,
        "photos": person.photos,
        "from": _year(person.first_taken),
        "to": _year(person.last_taken),
    }


def face_json(face: CataloguedFace) -> Json:
    """``box``: left, top, width and height in fractions of the photo. ``similarity``: 0 to 100, or null."""
    return {
        "face": face.face_id,
        "sha256": face.sha256,
        "box": [face.box.left, face.box.top, face.box.width, face.box.height],
        "taken": None if face.taken is None else int(face.taken.first[:4]),
        "similarity": None if face.similarity is None else round(face.similarity, 1),
    }


def row_json(row: FaceRow, total: int) -> Json:
    title, note = _ROW_TITLES[row.order]
    if len(row.faces) == total:
        title = "All faces"
    return {"title": title, "note": note, "order": row.order.value, "tiles": [face_json(face) for face in row.faces]}


def tile_json(tile: Tile) -> Json:
    """A tile of a grid or pair; ``count`` faces are decided with it."""
    return {
        **face_json(tile.face),
        "similarity": round(tile.similarity, 1),
        "chance": round(tile.chance, 3),
        "count": tile.faces,
        "person": tile.person_id,
        "name": tile.name,
        "ticked": tile.chance >= 0.5,
    }


def card_json(card: Card) -> Json:
    """The parts that all kinds of card have."""
    return {
        "id": card.id,
        "kind": card.kind,
        "seen": card.seen,
        "person": person_json(card.person),
        "other": None if card.other is None else person_json(card.other),
        "chance": round(card.chance, 3),
        "settles": round(card.settles, 1),
        "reason": card.reason,
        "similarity": round(card.tiles[0].similarity, 1) if card.kind == "pair" and card.tiles else None,
    }


def _year(moment: str | None) -> int | None:
    return int(moment[:4]) if moment and moment[:4].isdigit() else None
