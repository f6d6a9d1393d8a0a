"""The errors that a user may meet. Each has an exit code and a remedy.

::

    CatalogError                 1
    |-- UsageError               2   the command, its arguments or the settings are wrong
    |   |-- SettingsError            one or more settings are wrong
    |   |-- NoFaceError              a reference photo shows no face
    |   |-- PersonError              no person, or several persons, have the id or name
    |-- PhotoError               3   one photo cannot be catalogued
    |-- SourceError              4   a folder or bucket cannot be reached, or is suspiciously empty
    |-- EngineError              5   the engine cannot be used
    |-- DatabaseError            6   the database is unreachable, full, or not at the current schema
    |   |-- SchemaError
    |-- LimitReached             7   a limit that the user set: cost, calls, time
    |-- LockHeld                 8   another scan holds the lock
    |-- CheckRefused             9   a check that the user asked for failed

Exit code 0 is success, 1 a bug, 130 interrupted. ``cli/main.py`` turns errors into exit codes.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

MAX_QUOTED = 500
"""Characters of the longest quotation in a message. Names of files up to this length are shown whole."""
_MAX_LINE = 2000
_LONG = re.compile(rf'(?<=")[^"\n]{{{MAX_QUOTED + 1},}}(?=")|\S{{{MAX_QUOTED + 1},}}')


def shortened(message: str) -> str:
    """Cut long quotations, long words and long lines in the middle: a user may have given megabytes."""
    if len(message) <= MAX_QUOTED:
        return message
    message = _LONG.sub(lambda match: _cut(match[0], MAX_QUOTED), message)
    return "\n".join(_cut(line, _MAX_LINE) for line in message.split("\n"))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 150]} ... {text[-140:]}"


class CatalogError(Exception):
    """Base class. ``str(error)`` is one full sentence that quotes the name of the failed item, cut if it is long.

    ``remedy`` is a sentence that says how to fix it, or empty. ``audit_entry`` is the number of the entry that the
    verification log has about the failed attempt, None without one.
    """

    exit_code: ClassVar[int] = 1
    audit_entry: int | None = None

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(shortened(message))
        self.remedy = shortened(remedy)


class UsageError(CatalogError):
    """The command, its arguments or the arguments of a call are wrong."""

    exit_code = 2


class SettingsError(UsageError):
    """Wrong settings. ``problems`` holds one sentence per setting, with the source of its value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NoFaceError(UsageError):
    """A photo that must show a face shows none.

    ``charges`` are the calls (each a ``Charge``) that were paid before the error was known.
    """

    def __init__(self, message: str, *, remedy: str = "", charges: tuple[Any, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.charges = charges


class PersonError(UsageError):
    """No person has the id or name."""


class AmbiguousPersonError(PersonError):
    """Several persons have the name."""


class SamePhotoError(PersonError):
    """Two persons to be merged are on one photo, or a person is on the photo already. A user may insist."""


class PhotoError(CatalogError):
    """One photo cannot be read, decoded or enrolled. The scan records the sentence and continues."""

    exit_code = 3


class SourceError(CatalogError):
    """A source of photos is missing, denied, or empty although it held photos at the last scan."""

    exit_code = 4


class EngineError(CatalogError):
    """The engine cannot be used: weights damaged, credentials missing, service unreachable, version changed."""

    exit_code = 5


class DatabaseError(CatalogError):
    """The database cannot be used."""

    exit_code = 6


class SchemaError(DatabaseError):
    """The schema of the database is not the schema that this program needs."""


class LimitReached(CatalogError):
    """A limit that the user set was reached. Finished work is recorded."""

    exit_code = 7


class LockHeld(CatalogError):
    """Another scan holds the lock of the catalogue or of a source."""

    exit_code = 8


class CheckRefused(CatalogError):
    """A check that the user asked for failed."""

    exit_code = 9
