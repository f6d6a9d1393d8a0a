"""CSV files with the columns id and photo: employees to enroll or to verify."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from catalog.domain.errors import UsageError


def read_claims(batch: Path) -> list[tuple[str, Path]]:
    """The pairs of id and photo in a file with these columns. Paths start at the file's folder. Raises UsageError."""
    try:
        with batch.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if not {"id", "photo"} <= set(reader.fieldnames or ()):
                raise _wrong_columns(batch)
            claims = [_claim(row, reader.line_num, batch) for row in reader]
    except OSError as error:
        raise UsageError(f'The file "{batch}" cannot be read: {error.strerror}.') from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong_columns(batch) from error
    if not claims:
        raise UsageError(f'The file "{batch}" has no row.')
    return claims


def _claim(row: Mapping[str, str | None], line: int, batch: Path) -> tuple[str, Path]:
    """One row of the file; a short row has None in its missing columns."""
    claim, photo = row["id"], row["photo"]
    if not photo or not photo.strip():
        raise UsageError(f'Line {line} of "{batch}" has no photo.')
    if not claim or not claim.strip():
        raise UsageError(f'Line {line} of "{batch}" has no id.')
    return claim, batch.parent / photo


def _wrong_columns(batch: Path) -> UsageError:
    return UsageError(f'"{batch}" is not a CSV file with the columns id and photo.')
