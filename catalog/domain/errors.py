"""Every failure that a user may meet, each with an exit code and a remedy.

::

    CatalogError                 1
    ├── UsageError               2   the command, its arguments or the settings are wrong
    │   ├── SettingsError            several problems told at once
    │   ├── NoFaceError              a reference photo shows no face
    │   └── PersonError              no such person, or several of that name
    ├── PhotoError               3   this photo could not be catalogued; the others can
    ├── SourceError              4   a folder or bucket cannot be reached, or is suspiciously empty
    ├── EngineError              5   the engine cannot be used
    ├── DatabaseError            6   the database is unreachable, full, or not at the current schema
    │   └── SchemaError
    ├── LimitReached             7   a limit that the user set: cost, calls, time
    ├── LockHeld                 8   another scan is at work
    └── CheckRefused             9   a check that the user asked for says no

Exit code 0 is done, 1 a bug, 130 interrupted. One place turns these into codes: ``cli/main.py``.
"""

from __future__ import annotations

from typing import Any, ClassVar


class CatalogError(Exception):
    """A failure told in one full sentence, with the name quoted, and what to do about it.

    ``str(error)`` is the sentence; ``remedy`` is another sentence, or empty when there is nothing to do.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(CatalogError):
    """The command line cannot be carried out as given."""

    exit_code = 2


class SettingsError(UsageError):
    """Settings that cannot be used; ``problems`` holds one sentence for each, with the place it came from."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NoFaceError(UsageError):
    """A photo that must show a face shows none.

    ``charges`` are the calls (each a ``Charge``) that were paid for before that was known.
    """

    def __init__(self, message: str, *, remedy: str = "", charges: tuple[Any, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.charges = charges


class PersonError(UsageError):
    """A person was asked for by an id or name that fits nobody, or several."""


class AmbiguousPersonError(PersonError):
    """Several people have the name that was asked for."""


class PhotoError(CatalogError):
    """One photo could not be read, decoded or enrolled. The scan goes on and records the sentence."""

    exit_code = 3


class SourceError(CatalogError):
    """A source of photos is missing, denied, or empty where it was not before."""

    exit_code = 4


class EngineError(CatalogError):
    """The engine cannot be used: weights damaged, credentials missing, service unreachable, version changed."""

    exit_code = 5


class DatabaseError(CatalogError):
    """The database cannot be used."""

    exit_code = 6


class SchemaError(DatabaseError):
    """The database's schema is not the one this program needs."""


class LimitReached(CatalogError):
    """A limit that the user set was reached; everything up to it is kept."""

    exit_code = 7


class LockHeld(CatalogError):
    """Another scan holds the lock of this catalogue and source."""

    exit_code = 8


class CheckRefused(CatalogError):
    """A check that the user asked for says no."""

    exit_code = 9
