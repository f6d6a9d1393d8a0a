"""Restriction of reports to one gallery.

After a change of engine or gallery the same face has a row per gallery, and a report on all rows would count it twice.
Named reports and pages use one gallery: the one in the settings or, if it holds no face, the one with the latest
enrolled face.

SQL uses two macros: ``OF_GALLERY(row)`` for a row with an engine and a gallery, and ``IN_GALLERY(face.id)`` for the row
id of a face, without reading its wide row. If all faces are of one gallery, both expand to TRUE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, select

from catalog.store.tables import faces

_MACRO = re.compile(r"\b(OF_GALLERY|IN_GALLERY)\(([\w.]+)\)")
_OF = "{0}.engine = :engine AND {0}.gallery = :gallery"
_OWN_FACES = "FROM faces AS own WHERE own.engine = :engine AND own.gallery = :gallery"
_ID_RANGE = f"(SELECT MIN(own.id) {_OWN_FACES}) AND (SELECT MAX(own.id) {_OWN_FACES})"
_FOREIGN_IDS = f"SELECT own.id {_OWN_FACES.replace('WHERE', 'WHERE NOT (')}) AND +own.id BETWEEN {_ID_RANGE}"
_EXPANSIONS = {
    # Galleries are mostly filled one after the other, so that a range of row ids with a short list of exceptions
    # selects the faces of one. Both come from an index; a test per face would read all wide rows. The + signs keep
    # SQLite from changing the query plan.
    "sqlite": {"OF_GALLERY": _OF, "IN_GALLERY": f"(+{{0}} BETWEEN {_ID_RANGE} AND {{0}} NOT IN ({_FOREIGN_IDS}))"},
    # PostgreSQL turns this into a join. It would search a list longer than its memory face by face.
    "postgresql": {"OF_GALLERY": _OF, "IN_GALLERY": f"EXISTS (SELECT 1 {_OWN_FACES} AND own.id = {{0}})"},
}


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


def expand_gallery(sql: str, dialect: str, *, several: bool) -> str:
    """Expand the two macros for ``sqlite`` or ``postgresql``."""
    return _MACRO.sub(lambda macro: _EXPANSIONS[dialect][macro[1]].format(macro[2]) if several else "TRUE", sql)
