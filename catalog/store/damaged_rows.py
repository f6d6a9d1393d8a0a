"""Rows that another program has changed to values that the catalogue never writes: exit code 6, with the row named."""

from __future__ import annotations

from datetime import datetime

from catalog.domain.errors import DatabaseError
from catalog.domain.timestamps import utc_time
from catalog.domain.uri import display_name

_REMEDY = "Restore a backup with `catalog restore`."
_SHOWN = 40
"""Characters of a malformed value that a message shows."""


def damaged_row(row: str, cause: str) -> DatabaseError:
    return DatabaseError(f"{row} in the database is damaged: {cause}.", remedy=_REMEDY)


def stored_time(text: str | None, row: str, column: str) -> datetime | None:
    """Parse a stored time. Raises ``DatabaseError`` with the row and the column for any other text."""
    try:
        return utc_time(text)
    except (ValueError, TypeError):
        raise damaged_row(row, f'"{column}" is not a time but "{_shown(text)}"') from None


def required_stored_time(text: str | None, row: str, column: str) -> datetime:
    moment = stored_time(text, row, column)
    if moment is None:
        raise damaged_row(row, f'"{column}" is missing')
    return moment


def stored_uri(text: str | None, row: str) -> str | None:
    """Return a stored uri. Raises ``DatabaseError`` if it has a NUL character, which no file system allows."""
    if text is not None and ("\0" in text or "%00" in text):
        raise damaged_row(row, f'"uri" has a NUL character: "{_shown(text)}"')
    return text


def _shown(value: object) -> str:
    text = display_name(str(value))
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
