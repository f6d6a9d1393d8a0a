"""Import of names from a CSV file, by person id or by face id."""

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
class NameRow:
    """A row of the file: a name for a person or for a face. Exactly one of the two ids is set. ``line`` is 1-based."""

    line: int
    name: str
    person_id: str | None = None
    face_id: str | None = None


def read_names(path: Path) -> list[NameRow]:
    """Read a CSV file whose header has ``name``, and ``person_id`` or ``face_id``. Other columns are ignored.

    Rows without a name are skipped, so that an exported list of people can be filled in by hand and imported. Raises
    ``UsageError``.
    """
    shown_path = display_name(os.fsencode(path))
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = set(rows.fieldnames or ())
            keys = [key for key in ("person_id", "face_id") if key in columns]
            if "name" not in columns or not keys:
                raise UsageError(
                    f'The first line of "{shown_path}" lacks the columns "name" and "person_id" or "face_id".',
                    remedy="`catalog report people --format csv` writes such a list.",
                )
            parsed = (_name_row(shown_path, line, row, keys) for line, row in enumerate(rows, start=2))
            return [row for row in parsed if row is not None]
    except OSError as error:
        raise UsageError(f'The file "{shown_path}" cannot be read: {error.strerror}.') from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f'The file "{shown_path}" is not a CSV file in UTF-8: {error}.') from error


def _name_row(shown_path: str, line: int, row: Mapping[str, str | Any], keys: Sequence[str]) -> NameRow | None:
    name = " ".join((row.get("name") or "").split())
    if not name:
        return None
    for key in reversed(keys):  # a row with both ids names the face
        if value := (row.get(key) or "").strip():
            return NameRow(line, name, **{key: value})
    raise UsageError(f'Line {line} of "{shown_path}" has a name and no id.')
