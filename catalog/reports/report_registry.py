"""The named reports. Each report is an SQL file in ``queries/`` that starts with a comment.

The lines of the comment, in this order::

    -- The question that the report answers.
    -- also: other names of the report
    -- parameters: since until person album        the filters that it accepts
    -- band: COUNT of TOTAL                        columns whose ratio gets a confidence interval
    -- company: yes                                adds the most frequent companion of each person_id
    -- Notes, any number of lines.

The SQL is the same for SQLite and PostgreSQL. ``catalog.store.public_views`` expands its macros. In addition:

- ``PASSES_FILTERS(photo)`` is the condition that a photo passes since, until and album.
- ``COUNTS(photo)`` is the condition that no other file of the same exposure counts in place of the photo. With an
  album, only files in it are considered.
- ``OF_GALLERY`` and ``IN_GALLERY`` restrict faces to one gallery (``gallery_macros``). Every report that counts faces
  needs them.
- ``SHARED_PHOTOS`` is a table with columns ``one``, ``other`` and ``photos``: the number of photos that two visible
  persons share. ``catalog.reports.co_occurrence`` counts it.
- ``EMOTION_SHARES(column)`` ends a query with the strongest emotions of the faces by a column of the table ``grouped``,
  which also has ``photo_id``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from catalog.domain.errors import UsageError
from catalog.reports.gallery_macros import expand_gallery
from catalog.store.public_views import expand_macros

_PASSES_FILTERS = (
    "COALESCE(photo.taken_local_end, '') >= :since AND COALESCE(photo.taken_local, '') <= :until"
    " AND COALESCE(photo.taken_at, '') >= :since_utc AND COALESCE(photo.taken_at, '') <= :until_utc"
    " AND (:album = '' OR photo.id IN"
    " (SELECT place.photo_id FROM locations AS place WHERE place.uri >= :album AND place.uri < :album_end))"
)
_COUNTS = (
    "NOT EXISTS (SELECT 1 FROM stacked_photos AS stacked WHERE stacked.photo_id = photo.id AND (:album = '' OR EXISTS"
    " (SELECT 1 FROM locations AS place WHERE place.photo_id = stacked.counted_id"
    " AND place.uri >= :album AND place.uri < :album_end)))"
)
_SHARED = "SHARED_PHOTOS"
_SHARED_PHOTOS = {
    "sqlite": (
        "(SELECT json_extract(value, '$[0]') AS one, json_extract(value, '$[1]') AS other,"
        " json_extract(value, '$[2]') AS photos FROM json_each(:shared))"
    ),
    "postgresql": (
        "(SELECT CAST(value ->> 0 AS bigint) AS one, CAST(value ->> 1 AS bigint) AS other,"
        " CAST(value ->> 2 AS bigint) AS photos FROM jsonb_array_elements(CAST(:shared AS jsonb)))"
    ),
}


_EMOTION_SHARES = """, counted AS (
    SELECT grouped.{0}, face.emotion, COUNT(*) AS faces
    FROM grouped
    JOIN faces AS face ON face.photo_id = grouped.photo_id
    WHERE NOT face.not_a_face AND face.emotion IS NOT NULL AND face.id NOT IN HIDDEN_FACES()
        AND IN_GALLERY(face.id)
        AND (:person = '' OR face.id IN (
            SELECT assigned.face_id
            FROM persons AS person
            JOIN assignments AS assigned ON assigned.person_id = person.id
            WHERE person.person_id = :person
        ))
    GROUP BY grouped.{0}, face.emotion
)
SELECT counted.{0}, counted.emotion, counted.faces, SUM(counted.faces) OVER (PARTITION BY counted.{0}) AS measured
FROM counted
ORDER BY counted.{0}, counted.faces DESC, counted.emotion
LIMIT :limit"""
_EMOTION_SHARES_OF = re.compile(r"EMOTION_SHARES\((\w+)\)")


@dataclass(frozen=True, slots=True)
class BandColumns:
    """Names of the columns with a count and with the total that it is part of."""

    count: str
    total: str


@dataclass(frozen=True, slots=True)
class Report:
    """A named report."""

    name: str
    question: str
    notes: str
    parameters: frozenset[str]
    also: tuple[str, ...]
    band: BandColumns | None
    company: bool
    sql: str

    @property
    def is_of_faces(self) -> bool:
        """True if it reports on one gallery. Reports on charges, scans and failures cover all galleries."""
        return self.shares or "_GALLERY(" in self.sql

    @property
    def shares(self) -> bool:
        """True if the SQL needs the shared photos as the parameter ``:shared``."""
        return _SHARED in self.sql

    def select(self, dialect: str, *, several: bool) -> str:
        """Return the SQL for ``sqlite`` or ``postgresql``, with parameters as ``:name``.

        ``several``: the catalogue has faces of other galleries, too.
        """
        return expand_filters(self.sql.replace(_SHARED, _SHARED_PHOTOS[dialect]), dialect, several=several)


def expand_filters(sql: str, dialect: str, *, several: bool) -> str:
    """Expand the macros of a report's SQL."""
    return expand_macros(
        expand_gallery(
            sql.replace("PASSES_FILTERS(photo)", _PASSES_FILTERS).replace("COUNTS(photo)", _COUNTS),
            dialect,
            several=several,
        )
    )


@cache
def reports() -> dict[str, Report]:
    """Return all reports by name, in the order of names."""
    folder = files("catalog.reports") / "queries"
    sources = [(entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return {name.removesuffix(".sql"): _parse(name.removesuffix(".sql"), text) for name, text in sorted(sources)}


def find_report(wanted: str) -> Report:
    """Return the report with this name. Ignores case; spaces and underscores equal hyphens. Raises ``UsageError``."""
    name = wanted.strip().lower().replace("_", "-").replace(" ", "-")
    for report in reports().values():
        if name == report.name or name in report.also:
            return report
    raise UsageError(f'There is no report named "{wanted}".', remedy=f"Reports: {', '.join(reports())}.")


def _parse(name: str, text: str) -> Report:
    lines = text.splitlines()
    head = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    fields = {"also": "", "parameters": "", "band": "", "company": ""}
    notes = []
    for line in head[1:]:
        key, colon, value = line.partition(":")
        if colon and key in fields:
            fields[key] = value.strip()
        else:
            notes.append(line)
    band = fields["band"].split(" of ")
    sql = "\n".join(line for line in lines if not line.startswith("--")).strip()
    return Report(
        name=name,
        question=head[0],
        notes=" ".join(notes),
        parameters=frozenset(fields["parameters"].split()),
        also=tuple(fields["also"].split()),
        band=BandColumns(*band) if len(band) == 2 else None,
        company=fields["company"] == "yes",
        sql=_EMOTION_SHARES_OF.sub(lambda macro: _EMOTION_SHARES.format(macro[1]), sql),
    )
