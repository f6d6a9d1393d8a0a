"""A list of known people: a folder of named photos, or a CSV file.

Folder: ``Ann Example.jpg`` is a photo of Ann Example, and so is every photo below the folder ``Ann Example``.

CSV, UTF-8, with a header: ``name`` (required), ``photos`` (paths relative to the file, separated by ``;``),
``birth_date`` (YYYY-MM-DD). Every other column is the scheme of an external id, for example ``qid``, ``viaf`` or
``gnd``. Several rows with one name and no contradiction are one person.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from catalog.domain.errors import UsageError
from catalog.domain.file_names import is_named_like_another_file
from catalog.domain.uri import display_name

_SCHEME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_LONGEST_ID = 200
_OWN_COLUMNS = ("name", "photos", "birth_date")


@dataclass(slots=True)
class ListedPerson:
    """One person of the list. ``external_ids`` maps a scheme such as ``qid`` to the id."""

    name: str
    photos: list[Path] = field(default_factory=list)
    birth_date: date | None = None
    external_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeopleList:
    """The people of a list in its order. ``conflicts`` are sentences about rows that contradict others."""

    people: tuple[ListedPerson, ...]
    conflicts: tuple[str, ...] = ()


def read_people_list(path: Path) -> PeopleList:
    """Read a folder or a CSV file. Raises ``UsageError`` with the number of the first bad line."""
    return _read_folder(path) if path.is_dir() else _read_csv(path)


def _read_folder(folder: Path) -> PeopleList:
    people: dict[str, ListedPerson] = {}
    for path in _files(folder):
        first = path.relative_to(folder).parts[0]
        name = " ".join((first if len(path.relative_to(folder).parts) > 1 else path.stem).split())
        people.setdefault(name, ListedPerson(name)).photos.append(path)
    if not people:
        raise UsageError(f'The folder "{display_name(os.fsencode(folder))}" contains no photo.')
    return PeopleList(tuple(people.values()))


def _files(folder: Path) -> Iterator[Path]:
    """Files that may be photos, in ascending order. Hidden files and folders are left out."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path)
        elif not is_named_like_another_file(os.fsencode(path.name)):
            yield path


def _read_csv(path: Path) -> PeopleList:
    shown = display_name(os.fsencode(path))
    people: dict[str, ListedPerson] = {}
    conflicts: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, restkey="")
            _check_header(shown, rows.fieldnames or ())
            for line, row in enumerate(rows, start=2):
                person = _person(path, line, row)
                first_row = people.setdefault(person.name, person)
                if first_row is not person:
                    conflicts += _add_row(first_row, person, line)
    except OSError as error:
        raise UsageError(f'The list "{shown}" cannot be read: {error.strerror}.') from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f'The list "{shown}" is not a CSV file in UTF-8: {error}.') from error
    return PeopleList(tuple(people.values()), tuple(conflicts))


def _check_header(shown: str, columns: Sequence[str]) -> None:
    if "name" not in columns:
        raise UsageError(
            f'The first line of "{shown}" lacks the column "name".',
            remedy="The columns are name, photos, birth_date, and one for each kind of external id.",
        )
    for column in columns:
        if column not in _OWN_COLUMNS and not _SCHEME.fullmatch(column):
            raise UsageError(
                f'The column "{column}" of "{shown}" cannot be the scheme of an external id.',
                remedy="A scheme is lower-case letters and digits, such as qid, viaf or gnd.",
            )


def _person(path: Path, line: int, row: Mapping[str, str | list[str] | None]) -> ListedPerson:
    if "" in row:
        raise UsageError(f"Line {line} has more cells than the first line.")
    cells = {column: value.strip() for column, value in row.items() if isinstance(value, str) and value.strip()}
    name = " ".join(cells.get("name", "").split())
    if not name:
        raise UsageError(f"Line {line} has no name.")
    photos = [path.parent / part.strip() for part in cells.get("photos", "").split(";") if part.strip()]
    for photo in photos:
        if "\0" in str(photo) or not photo.is_file():
            raise UsageError(f'Line {line}: there is no file "{display_name(os.fsencode(photo))}".')
    try:
        birth_date = date.fromisoformat(cells["birth_date"]) if "birth_date" in cells else None
    except ValueError:
        raise UsageError(f'Line {line}: the birth date "{cells["birth_date"]}" is not YYYY-MM-DD.') from None
    external_ids = {column: value for column, value in cells.items() if column not in _OWN_COLUMNS}
    for scheme, value in external_ids.items():
        if len(value) > _LONGEST_ID or not value.isprintable():
            raise UsageError(f"Line {line}: the {scheme} is not printable text of at most {_LONGEST_ID} characters.")
    return ListedPerson(name, photos, birth_date, external_ids)


def _add_row(first_row: ListedPerson, row: ListedPerson, line: int) -> list[str]:
    """Add a further row of a person. A row that contradicts the person is left out and reported."""
    for scheme, value in row.external_ids.items():
        if first_row.external_ids.get(scheme, value) != value:
            before = first_row.external_ids[scheme]
            return [f'Line {line}: "{row.name}" has the {scheme} {value} here and {before} before; it was left out.']
    if row.birth_date is not None and first_row.birth_date not in (None, row.birth_date):
        return [f'Line {line}: "{row.name}" has another birth date before; the line was left out.']
    first_row.photos += row.photos
    first_row.birth_date = first_row.birth_date or row.birth_date
    first_row.external_ids |= row.external_ids
    return []
