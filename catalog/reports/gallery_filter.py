"""The one gallery that a report is about.

After a change of engine or gallery the same face has a row for each that saw it, and an answer that counted them all
would count it twice. So named reports and pages speak of one gallery: the one that the settings name, or, where it
holds no face, the one that a face was enrolled in last.

SQL says so with two words: ``OF_GALLERY(row)`` for a row with an engine and a gallery, and ``IN_GALLERY(face.id)`` for
the row id of a face, where its wide row is not read. Where all faces are of one gallery both are simply true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, select

from catalog.store.tables import faces

_WORD = re.compile(r"\b(OF_GALLERY|IN_GALLERY)\(([\w.]+)\)")
_OF = "{0}.engine = :engine AND {0}.gallery = :gallery"
_HERE = "FROM faces AS held WHERE held.engine = :engine AND held.gallery = :gallery"
_ENDS = f"(SELECT MIN(held.id) {_HERE}) AND (SELECT MAX(held.id) {_HERE})"
_OTHERS = f"SELECT held.id {_HERE.replace('WHERE', 'WHERE NOT (')}) AND +held.id BETWEEN {_ENDS}"
_SPELLED = {
    # Galleries are filled one after the other: their ends say almost all, and others are a short list between them.
    # Both are read from an index; asked face by face SQLite would read all wide rows. A + keeps the query's plan.
    "sqlite": {"OF_GALLERY": _OF, "IN_GALLERY": f"(+{{0}} BETWEEN {_ENDS} AND {{0}} NOT IN ({_OTHERS}))"},
    # PostgreSQL makes a join of this, and would search a list that is too long for its memory face by face.
    "postgresql": {"OF_GALLERY": _OF, "IN_GALLERY": f"EXISTS (SELECT 1 {_HERE} AND held.id = {{0}})"},
}


@dataclass(frozen=True, slots=True)
class Gallery:
    """A gallery, or a collection, of an engine."""

    engine: str
    name: str


def gallery_values(connection: Connection, wanted: Gallery | None) -> dict[str, str]:
    """The parameters of SQL about one gallery; ``several`` is empty where there is no other to leave out."""
    order = (faces.c.engine, faces.c.gallery)
    rows = select(*order).limit(1)
    first = connection.execute(rows.order_by(*order)).first()
    last = connection.execute(rows.order_by(*[column.desc() for column in order])).first()
    chosen = None
    if wanted is not None:
        named = rows.where(faces.c.engine == wanted.engine, faces.c.gallery == wanted.name)
        chosen = connection.execute(named).first()
    chosen = chosen or connection.execute(rows.order_by(faces.c.id.desc())).first()
    engine, gallery = chosen or ("", "")
    return {"engine": engine, "gallery": gallery, "several": "" if first == last else "yes"}


def expand_gallery(sql: str, dialect: str, *, several: bool) -> str:
    """Spell the two words for ``sqlite`` or ``postgresql``."""
    return _WORD.sub(lambda word: _SPELLED[dialect][word[1]].format(word[2]) if several else "TRUE", sql)
