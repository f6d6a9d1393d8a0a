"""docs/schema.md: the views that people may rely on, and the tables below them, from their own descriptions."""

from __future__ import annotations

from catalog.store.face_views import VIEWS
from catalog.store.public_views import View
from catalog.store.tables import metadata

_HEAD = """# Schema

Generated from `catalog/store/face_views.py`, `photo_views.py` and `tables/` by `tools/write_docs.py`.

Use the **views**: a view named `v1_...` keeps its name, its columns and their meaning permanently, on SQLite and on
PostgreSQL. New columns are added at the end. Read them with `catalog sql`, or with any program on a connection of its
own. [queries.md](queries.md) has examples.

- `face_id` and `person_id` are the public ids. `photo_sha256`, the SHA-256 of its bytes, identifies a photo.
- `path` is the location as a user reads it. `uri` is its exact address.
- Times are ISO 8601 in UTC and end in `Z`. `taken_at_offset` beside `taken_at` is the offset of the camera in minutes
  east of UTC. If it is null the camera stored no offset, and `taken_at` is its local time.
- A date may be a year or a month. `taken_at` is then its first second, and means no more than `taken_date` says. Days,
  months and years of photos are those of the place: `taken_date`, `taken_local`, `first_day`, `month`.
- Boxes are fractions of the upright image from its top left corner. Confidences and similarities are 0 to 100.
- Booleans are 1 or 0 on SQLite, true or false on PostgreSQL.
- Faces marked as not a face, and forgotten faces, are left out. Merged persons are left out: the canonical person has
  their faces.
- Hidden persons are in the views about persons and faces, with `hidden`. The views that aggregate over persons
  (`v1_emotions_by_month`, `v1_co_occurrence`) leave them out, and so do all named reports.
- A photo without a present location is included, with `missing_since`, until it is pruned.
- After a change of engine or gallery a face may have a row for each gallery; `engine` and `gallery` in `v1_faces`
  identify them. The views contain all; named reports and pages use one gallery.

## Views
"""

_TABLES = """
## Tables

Tables may change in any release. They are described here for developers. PostgreSQL stores the same comments.
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
