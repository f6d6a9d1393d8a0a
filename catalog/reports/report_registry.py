"""The named reports: one report, one SQL file in ``queries/``, whose opening comment says what it asks.

The comment's lines, in order::

    -- The question, in one sentence?
    -- also: other names that people may try
    -- parameters: since until person album        those of the four that it understands
    -- band: COUNT of TOTAL                        two columns whose ratio gets a confidence band
    -- company: yes                                each person_id gets whoever shares most of their photos
    -- Notes, as many lines as needed.

The SQL is the same for SQLite and PostgreSQL. Words in capitals are spelled by ``catalog.store.public_views``;
``IN_SCOPE(photo)`` is the condition that a photo lies within since, until and album; ``OF_GALLERY`` and ``IN_GALLERY``
keep to one gallery (``gallery_filter``), which all that counts faces must do. ``SHARED_PHOTOS`` is a table of
two visible people within the scope, ``one`` and ``other``, and of the number of ``photos`` that show both: it is
counted by ``catalog.reports.co_occurrence``, faster than a database does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from catalog.domain.errors import UsageError
from catalog.reports.gallery_filter import expand_gallery
from catalog.store.public_views import expand_macros

_IN_SCOPE = (
    "COALESCE(photo.taken_at, '') >= :since AND COALESCE(photo.taken_at, '') < :until AND (:album = '' OR photo.id IN"
    " (SELECT held.photo_id FROM locations AS held WHERE held.uri >= :album AND held.uri < :album_end))"
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


@dataclass(frozen=True, slots=True)
class BandColumns:
    """The columns of a count and of the total it is a part of."""

    count: str
    total: str


@dataclass(frozen=True, slots=True)
class Report:
    """A question with a name."""

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
        """Whether it is about one gallery: what it tells of payments, scans and failures is about all."""
        return self.shares or "_GALLERY(" in self.sql

    @property
    def shares(self) -> bool:
        """Whether the SQL needs the pairs of people who share photos, as the parameter ``:shared``."""
        return _SHARED in self.sql

    def select(self, dialect: str, *, several: bool) -> str:
        """The SQL as ``sqlite`` or ``postgresql`` runs it, with ``:name`` for each parameter.

        ``several``: there are faces in other galleries than the one that it asks about.
        """
        return expand_filters(self.sql.replace(_SHARED, _SHARED_PHOTOS[dialect]), dialect, several=several)


def expand_filters(sql: str, dialect: str, *, several: bool) -> str:
    """Spell the words of a report's SQL."""
    return expand_macros(expand_gallery(sql.replace("IN_SCOPE(photo)", _IN_SCOPE), dialect, several=several), dialect)


@cache
def reports() -> dict[str, Report]:
    """Every report by its name, in the order of the names."""
    folder = files("catalog.reports") / "queries"
    found = [(entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return {name.removesuffix(".sql"): _parse(name.removesuffix(".sql"), text) for name, text in sorted(found)}


def find_report(wanted: str) -> Report:
    """The report of this name; case, spaces and underscores do not matter. Raises UsageError."""
    name = wanted.strip().lower().replace("_", "-").replace(" ", "-")
    for report in reports().values():
        if name == report.name or name in report.also:
            return report
    raise UsageError(f'There is no report named "{wanted}".', remedy=f"There are: {', '.join(reports())}.")


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
    return Report(
        name=name,
        question=head[0],
        notes=" ".join(notes),
        parameters=frozenset(fields["parameters"].split()),
        also=tuple(fields["also"].split()),
        band=BandColumns(*band) if len(band) == 2 else None,
        company=fields["company"] == "yes",
        sql="\n".join(line for line in lines if not line.startswith("--")).strip(),
    )
