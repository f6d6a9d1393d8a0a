"""The two macros in a report's SQL that restrict it to one gallery.

``OF_GALLERY(row)`` is for a row with an engine and a gallery. ``IN_GALLERY(face.id)`` is for the row id of a face,
without reading its wide row. If all faces are of one gallery, both expand to TRUE.
"""

from __future__ import annotations

import re

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


def expand_gallery(sql: str, dialect: str, *, several: bool) -> str:
    """Expand the two macros for ``sqlite`` or ``postgresql``."""
    return _MACRO.sub(lambda macro: _EXPANSIONS[dialect][macro[1]].format(macro[2]) if several else "TRUE", sql)
