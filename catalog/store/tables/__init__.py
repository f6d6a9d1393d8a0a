"""The tables of the catalogue. Every table and column has a comment, which PostgreSQL stores.

Conventions on SQLite and PostgreSQL:

- Times are text in UTC, in the form of :mod:`catalog.domain.timestamps`.
- Boxes are fractions of the upright image from its top left corner (see ``catalog.domain.faces``).
- Dollars are stored as integers of millionths, so that sums are exact.
- ``decisions`` is append-only. Its keys are content hashes and boxes, never row ids, so that decisions remain valid
  with other models, engines and restored backups. ``assignments`` and ``persons.name`` hold their effect.

The gallery of the local engine is in the same database with the prefix ``gallery_``. Its tables are defined in
``catalog.engines.local.tables``, because only the engine reads and writes them.
"""

from __future__ import annotations

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.store.tables.face_tables import emotions, faces, rejected_faces
from catalog.store.tables.person_tables import (
    assignments,
    decisions,
    matches,
    named_appearances,
    persons,
    removals,
    searches,
    tombstones,
)
from catalog.store.tables.photo_tables import enrollments, locations, photos, stacked_photos
from catalog.store.tables.review_tables import person_summaries, review_answers, review_questions, review_skips
from catalog.store.tables.scan_tables import call_intents, catalogue, charges, problems, scan_sources, scans, work
from catalog.store.tables.screening_tables import (
    employee_references,
    employees,
    verifications,
    watch_hits,
    watch_references,
    watch_searches,
    watches,
)
from catalog.store.tables.table_columns import metadata

__all__ = [
    "BOX_COLUMNS",
    "assignments",
    "call_intents",
    "catalogue",
    "charges",
    "decisions",
    "emotions",
    "employee_references",
    "employees",
    "enrollments",
    "faces",
    "locations",
    "matches",
    "metadata",
    "named_appearances",
    "person_summaries",
    "persons",
    "photos",
    "problems",
    "rejected_faces",
    "removals",
    "review_answers",
    "review_questions",
    "review_skips",
    "scan_sources",
    "scans",
    "searches",
    "stacked_photos",
    "tombstones",
    "verifications",
    "watch_hits",
    "watch_references",
    "watch_searches",
    "watches",
    "work",
]
