"""The date of a photo as decisions and imports hold it."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.domain.taken_at import DateSource


@dataclass(frozen=True, slots=True)
class PhotoDate:
    """The date of a photo as text of ``taken_at.date_text``; None for no date. ``source`` is None in older records."""

    sha256: str
    date: str | None
    source: DateSource | None
