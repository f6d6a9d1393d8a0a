"""Times as the catalogue stores them: text in UTC with microseconds and a closing ``Z``.

Texts of this form have one length, so that they sort and compare as the times do, on every database.
"""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(moment: datetime | None) -> str | None:
    """Return a time as stored, for example ``2003-05-17T14:03:22.000000Z``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_time(text: str | None) -> datetime | None:
    """Parse a stored time. Raises ``ValueError`` for any other text."""
    return None if text is None else datetime.fromisoformat(text)


def required_time(text: str) -> datetime:
    """Parse the time of a column that is never null."""
    moment = utc_time(text)
    assert moment is not None
    return moment
