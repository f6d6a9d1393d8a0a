"""docs/schema.md: the views that people may rely on, and the tables below them, from their own descriptions."""

from __future__ import annotations

from catalog.store.face_views import VIEWS
from catalog.store.public_views import View
from catalog.store.tables import metadata

_HEAD = """# Schema

Made from `catalog/store/views.py` and `catalog/store/tables.py` by `tools/write_docs.py`.

Rely on the **views**: a view named `v1_...` keeps its name, its columns and their meaning for ever, on SQLite and on
PostgreSQL. New columns may come at the end. Read them with `catalog sql`, or with any program, on a connection of
your own. [queries.md](queries.md) has worked examples.

- `face_id` and `person_id` are the public ids. A photo is known by `photo_sha256`, the digest of its bytes.
- Times are ISO 8601 in UTC and end in `Z`. `taken_at_offset` beside `taken_at` is the camera's zone in minutes east of
  UTC; where it is null the camera gave none, and `taken_at` is its wall clock.
- Boxes are fractions of the upright image from its top-left corner; confidences and similarities are 0 to 100.
- Yes or no is 1 or 0 on SQLite, true or false on PostgreSQL.
- Faces that a human called no face, and everything forgotten, are out. A person who was merged into another never
  appears: the other has the faces.
- Hidden people are in the views about people and faces, with `hidden` beside them. The views that sum up over people
  (`v1_emotions_by_month`, `v1_co_occurrence`) leave them out, and so do all named reports.
- A photo whose every place is gone is still in, with `missing_since`, until it is pruned.
- After a change of engine or gallery the same face may be there once for each; `engine` and `gallery` in `v1_faces`
  tell them apart. The views count them all; named reports and pages keep to one gallery.

## Views
"""

_TABLES = """
## Tables

These may change with any release. They are described here for those who repair or extend the program; the same
comments are in a PostgreSQL database itself.
"""


def schema_page() -> str:
    """The whole page."""
    return _HEAD + "".join(_view(view) for view in VIEWS) + _TABLES + _tables()


def _view(view: View) -> str:
    rows = [f"| `{column.name}` | {column.meaning} |" for column in view.columns]
    return f"\n### {view.name}\n\n{_sentence(view.comment)}\n\n" + _table(rows)


def _tables() -> str:
    pages = []
    for table in metadata.sorted_tables:
        rows = [f"| `{column.name}` | {column.comment} |" for column in table.columns]
        pages.append(f"\n### {table.name}\n\n{_sentence(table.comment or '')}\n\n" + _table(rows))
    return "".join(pages)


def _table(rows: list[str]) -> str:
    return "\n".join(["| column | meaning |", "| --- | --- |", *rows]) + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
