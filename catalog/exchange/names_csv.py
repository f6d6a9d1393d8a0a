"""Names from a CSV: of people by their ids, or of single faces by theirs."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name


@dataclass(frozen=True, slots=True)
class GivenName:
    """One line of the file: a name for a person or for a face; exactly one of the two ids is there."""

    line: int
    name: str
    person_id: str | None = None
    face_id: str | None = None


def read_names(path: Path) -> list[GivenName]:
    """The names of a CSV whose header has ``name``, and ``person_id`` or ``face_id``; other columns do not matter.

    Lines without a name are left out, so that an exported list of people can be filled in by hand and read back.
    Raises ``UsageError``.
    """
    shown = display_name(os.fsencode(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = set(rows.fieldnames or ())
            keys = [key for key in ("person_id", "face_id") if key in columns]
            if "name" not in columns or not keys:
                raise UsageError(
                    f'The first line of "{shown}" does not name the columns "name" and "person_id" or "face_id".',
                    remedy="`catalog report people --format csv` writes such a list.",
                )
            return [given for line, row in enumerate(rows, start=2) if (given := _given(shown, line, row, keys))]
    except OSError as error:
        raise UsageError(f'The file "{shown}" cannot be read: {error.strerror}.') from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f'The file "{shown}" is no CSV in UTF-8: {error}.') from error


def _given(shown: str, line: int, row: Mapping[str, str | Any], keys: Sequence[str]) -> GivenName | None:
    name = " ".join((row.get("name") or "").split())
    if not name:
        return None
    for key in reversed(keys):  # where both are given, the face is meant
        if value := (row.get(key) or "").strip():
            return GivenName(line, name, **{key: value})
    raise UsageError(f'Line {line} of "{shown}" has a name and no id.')
