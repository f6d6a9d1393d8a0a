"""Restriction of reports to one gallery.

After a change of engine or gallery the same face has a row per gallery, and a report on all rows would count it twice.
Named reports and pages use one gallery: the one in the settings or, if it holds no face, the one with the latest
enrolled face.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from catalog.store.tables import faces


@dataclass(frozen=True, slots=True)
class Gallery:
    """A gallery or collection of an engine."""

    engine: str
    name: str


def gallery_values(connection: Connection, wanted: Gallery | None) -> dict[str, str]:
    """Return the SQL parameters of a gallery. ``several`` is empty if the catalogue has faces of one gallery only."""
    order = (faces.c.engine, faces.c.gallery)
    rows = select(*order).limit(1)
    first = connection.execute(rows.order_by(*order)).first()
    last = connection.execute(rows.order_by(*[column.desc() for column in order])).first()
    chosen = None
    if wanted is not None:
        in_settings = rows.where(faces.c.engine == wanted.engine, faces.c.gallery == wanted.name)
        chosen = connection.execute(in_settings).first()
    chosen = chosen or connection.execute(rows.order_by(faces.c.id.desc())).first()
    engine, gallery = chosen or ("", "")
    return {"engine": engine, "gallery": gallery, "several": "" if first == last else "yes"}
