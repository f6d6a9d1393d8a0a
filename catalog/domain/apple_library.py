"""Libraries of Apple Photos 5 and later: the state of their photos, and the faces that ``Photos.sqlite`` names.

Apple documents no format. Tables and columns are known from osxphotos: the table of photos and the columns that join
faces to photos and persons have changed their names, so that the columns which exist decide. The database is untrusted
input: it is opened for reading only, and nothing but named columns of plain tables is read.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from catalog.domain.apple_dates import AppleDate
from catalog.domain.errors import PhotoError
from catalog.domain.faces import BoundingBox

TRASHED, HIDDEN = "in the trash of Apple Photos", "hidden in Apple Photos"

_ASSET = re.compile(
    r"(?P<library>.*)/(?P<folder>originals|resources/renders)/[0-9A-F]/"
    r"(?P<uuid>[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})(?:_[^/]*)?\.[^/]+",
    re.DOTALL,
)
_SHARED = re.compile(
    r"(?P<library>.*)/(?P<folder>resources/cloudsharing/data|scopes/cloudsharing/data)/.*"
    r"(?P<uuid>[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\.[^/]+",
    re.DOTALL,
)
_MAX_BYTES = 8 << 30
_MAX_CELL = 1 << 20
_MAX_ROWS = 5_000_000
_MAX_STEPS, _STEPS_PER_CALL = 1_000_000_000, 100_000
"""Instructions of SQLite before reading stops, and how often they are counted. A face takes about 30."""
_MAX_NAME = 501
"""Characters of a name that are kept: one more than a name can have, so that the import reports it."""
_MAX_MERGES = 100
_TABLES = ("ZPERSON", "ZDETECTEDFACE", "ZASSET", "ZGENERICASSET", "ZADDITIONALASSETATTRIBUTES")
_COLUMNS = frozenset(
    {"Z_PK", "ZUUID", "ZTRASHEDSTATE", "ZHIDDEN", "ZADJUSTMENTSSTATE", "ZHASADJUSTMENTS", "ZFULLNAME", "ZKEYFACE"}
    | {"ZMERGETARGETPERSON", "ZASSET", "ZASSETFORFACE", "ZPERSON", "ZPERSONFORFACE", "ZCENTERX", "ZCENTERY", "ZSIZE"}
    | {"ZISINTRASH", "ZMANUAL", "ZDATECREATED", "ZTIMEZONEOFFSET", "ZEXIFTIMESTAMPSTRING"}
)


@dataclass(frozen=True, slots=True)
class AppleAsset:
    """A file of a library. ``uuid`` names the photo, of which the library may hold an original and an edit."""

    library: str
    uuid: str
    is_edit: bool


@dataclass(frozen=True, slots=True)
class AppleFace:
    """A face with its person's name. The center is a fraction of the upright image, the origin at the bottom left.

    ``size`` is the side of a square as a fraction of the longer side. ``is_sure``: drawn by the user, or the face that
    Photos shows for the person.
    """

    name: str
    center_x: float
    center_y: float
    size: float
    is_sure: bool = False

    def box(self, width: int, height: int) -> BoundingBox:
        """The square on an upright image of this size in pixels."""
        side = self.size * max(width, height)
        across, down = side / width, side / height
        return BoundingBox(self.center_x - across / 2, 1 - self.center_y - down / 2, across, down)


@dataclass(frozen=True, slots=True)
class AppleLibrary:
    """The content of ``Photos.sqlite``, by the UUID of a photo in upper case.

    ``left_out``: why a photo is not to be shown, ``TRASHED`` or ``HIDDEN``. The faces of ``edited`` photos lie on the
    edited image. Faces without a name are left out, and so are those of trashed photos.
    """

    faces: Mapping[str, tuple[AppleFace, ...]] = field(default_factory=dict)
    edited: frozenset[str] = frozenset()
    left_out: Mapping[str, str] = field(default_factory=dict)
    dates: Mapping[str, AppleDate] = field(default_factory=dict)
    """The dates that Photos shows, corrections included."""


def apple_asset(path: str) -> AppleAsset | None:
    """The photo of a library that a path or a uri shows; None for other files. The library need not exist."""
    if "/originals/" in path or "/renders/" in path:
        match = _ASSET.fullmatch(path)
    elif "/cloudsharing/" in path:
        match = _SHARED.fullmatch(path)
    else:
        return None
    if match is None:
        return None
    return AppleAsset(match["library"], match["uuid"], match["folder"] == "resources/renders")


def read_apple_library(library: Path | str | bytes, *, with_faces: bool = True) -> AppleLibrary:
    """Read the database of a library. Raises ``PhotoError`` for one that cannot be read, and ``FileNotFoundError``."""
    database = Path(os.fsdecode(library)) / "database" / "Photos.sqlite"
    try:
        with _opened(database) as connection:
            return _read(connection, with_faces=with_faces)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PhotoError(f"The database of the library cannot be read: {error.strerror}.") from error
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        raise PhotoError("The database of the library is damaged, or was written while it was read.") from error


@contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    """Open the file itself, or a private copy of it and its log if Photos left one. Nothing is written beside it."""
    size = _file_size(database)
    log = database.with_name(f"{database.name}-wal")
    log_size = _file_size(log) if os.path.lexists(log) else 0
    if size + log_size > _MAX_BYTES:
        raise PhotoError(f"The database of the library is larger than {_MAX_BYTES >> 30} GiB.")
    if not log_size:
        with closing(_connected(database, "immutable=1")) as connection:
            yield connection
        return
    with TemporaryDirectory(prefix="catalog-") as folder:
        copy = Path(folder) / database.name
        for source, target in ((database, copy), (log, copy.with_name(log.name))):
            with source.open("rb") as read, target.open("xb") as written:
                shutil.copyfileobj(read, written, 1 << 20)
        connection = _connected(copy, "mode=ro")
    # The copy has no name any more, so that a killed process leaves none behind. SQLite holds both files open.
    with closing(connection):
        yield connection


def _file_size(path: Path) -> int:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise PhotoError(f'"{path.name}" of the library is not a regular file.')
    return status.st_size


def _connected(database: Path, option: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(os.fsencode(database))}?{option}", uri=True)
    try:
        _restrict(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _restrict(connection: sqlite3.Connection) -> None:
    """Limit cells, instructions and statements, then open the file and its log."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}")
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += _STEPS_PER_CALL
        return steps > _MAX_STEPS

    connection.set_progress_handler(count, _STEPS_PER_CALL)
    connection.set_authorizer(_authorized)
    connection.execute("SELECT type FROM sqlite_master LIMIT 1").fetchone()


def _authorized(action: int, table: str | None, column: str | None, _database: str | None, inner: str | None) -> int:
    """Allow reading named columns, the schema, and the names of columns; no view, trigger or function."""
    is_allowed = action == sqlite3.SQLITE_SELECT and inner is None
    if action == sqlite3.SQLITE_READ and inner is None:
        is_allowed = table == "sqlite_master" or (table in _TABLES and column in {*_COLUMNS, ""})
    if action == sqlite3.SQLITE_PRAGMA:
        is_allowed = table == "table_info"
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


def _read(connection: sqlite3.Connection, *, with_faces: bool) -> AppleLibrary:
    columns = {table: _columns(connection, table) for table in _TABLES}
    table = "ZASSET" if columns["ZASSET"] else "ZGENERICASSET"
    if not {"Z_PK", "ZUUID"} <= columns[table]:
        raise PhotoError("The database of the library has an unknown form.")
    uuids: dict[int, str] = {}
    edited: set[str] = set()
    left_out: dict[str, str] = {}
    dates: dict[str, AppleDate] = {}
    zones = _zones(connection, columns["ZADDITIONALASSETATTRIBUTES"])
    wanted = ("Z_PK", "ZUUID", "ZTRASHEDSTATE", "ZHIDDEN", "ZADJUSTMENTSSTATE", "ZHASADJUSTMENTS", "ZDATECREATED")
    for key, uuid, is_trashed, is_hidden, adjustments, has_adjustments, created in _rows(
        connection, table, columns[table], wanted
    ):
        if not isinstance(key, int) or not isinstance(uuid, str) or len(uuid) > 64:
            continue
        uuids[key] = name = uuid.upper()
        if _is_set(is_trashed) or _is_set(is_hidden):
            left_out[name] = TRASHED if _is_set(is_trashed) else HIDDEN
        if _is_set(adjustments) or _is_set(has_adjustments):
            edited.add(name)
        date = AppleDate.of_columns(created, *zones.get(key, (None, None)))
        if date is not None:
            dates[name] = date
    faces = _faces(connection, columns, uuids, left_out) if with_faces else {}
    return AppleLibrary(faces, frozenset(edited), left_out, dates)


def _zones(connection: sqlite3.Connection, columns: frozenset[str]) -> dict[int, tuple[Any, Any]]:
    """The offset from UTC in seconds, and the date of the original file, by the key of the photo."""
    if "ZASSET" not in columns:
        return {}
    wanted = ("ZASSET", "ZTIMEZONEOFFSET", "ZEXIFTIMESTAMPSTRING")
    rows = _rows(connection, "ZADDITIONALASSETATTRIBUTES", columns, wanted)
    return {key: (offset, in_file) for key, offset, in_file in rows if isinstance(key, int)}


def _faces(
    connection: sqlite3.Connection,
    columns: Mapping[str, frozenset[str]],
    uuids: Mapping[int, str],
    left_out: Mapping[str, str],
) -> dict[str, tuple[AppleFace, ...]]:
    shown = columns["ZDETECTEDFACE"]
    asset = "ZASSETFORFACE" if "ZASSETFORFACE" in shown else "ZASSET"
    person = "ZPERSONFORFACE" if "ZPERSONFORFACE" in shown else "ZPERSON"
    if not {"Z_PK", asset, person, "ZCENTERX", "ZCENTERY", "ZSIZE"} <= shown:
        raise PhotoError("The faces of the library have an unknown form.")
    if not {"Z_PK", "ZFULLNAME"} <= columns["ZPERSON"]:
        raise PhotoError("The persons of the library have an unknown form.")
    names, key_faces = _persons(connection, columns["ZPERSON"])
    faces: dict[str, list[AppleFace]] = defaultdict(list)
    wanted = ("Z_PK", asset, person, "ZCENTERX", "ZCENTERY", "ZSIZE", "ZHIDDEN", "ZISINTRASH", "ZMANUAL")
    for key, asset_key, person_key, x, y, size, is_hidden, is_trashed, is_manual in _rows(
        connection, "ZDETECTEDFACE", shown, wanted
    ):
        uuid = uuids.get(asset_key) if isinstance(asset_key, int) else None
        name = names.get(person_key) if isinstance(person_key, int) else None
        if uuid is None or name is None or left_out.get(uuid) == TRASHED or _is_set(is_hidden) or _is_set(is_trashed):
            continue
        if _is_position(x) and _is_position(y) and _is_position(size) and size > 0:
            faces[uuid].append(AppleFace(name, x, y, size, is_sure=_is_set(is_manual) or key in key_faces))
    return {uuid: tuple(sorted(of_photo, key=lambda face: not face.is_sure)) for uuid, of_photo in faces.items()}


def _persons(connection: sqlite3.Connection, columns: frozenset[str]) -> tuple[dict[int, str], set[int]]:
    """Names of persons by key, merged persons included, and the keys of the faces that Photos shows for persons."""
    names: dict[int, str] = {}
    targets: dict[int, int] = {}
    key_faces: set[int] = set()
    for key, name, target, key_face in _rows(
        connection, "ZPERSON", columns, ("Z_PK", "ZFULLNAME", "ZMERGETARGETPERSON", "ZKEYFACE")
    ):
        if not isinstance(key, int):
            continue
        if isinstance(name, str) and (tidy := " ".join(name[: 2 * _MAX_NAME].split())):
            names[key] = tidy[:_MAX_NAME]
        if isinstance(target, int):
            targets[key] = target
        if isinstance(key_face, int):
            key_faces.add(key_face)
    for key in targets:
        final = key
        for _ in range(_MAX_MERGES):
            if final not in targets:
                break
            final = targets[final]
        if final not in targets and final in names:
            names[key] = names[final]
        else:
            names.pop(key, None)
    return names, key_faces


def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The known columns of a plain table; empty if there is none of this name."""
    schema = connection.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    if schema is None:
        return frozenset()
    kind, sql = schema
    if kind != "table" or not isinstance(sql, str) or not re.match(r"\s*CREATE\s+TABLE\b", sql, re.IGNORECASE):
        raise PhotoError(f"{table} of the library is not a plain table.")
    return frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({table})")) & _COLUMNS


def _rows(
    connection: sqlite3.Connection, table: str, columns: frozenset[str], wanted: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Stream the wanted columns of a table; None in place of a column that does not exist."""
    chosen = ", ".join(name if name in columns else "NULL" for name in wanted)
    for number, row in enumerate(connection.execute(f"SELECT {chosen} FROM {table}")):  # noqa: S608  constants
        if number >= _MAX_ROWS:
            raise PhotoError(f"The library has more than {_MAX_ROWS:,} rows of {table}.")
        yield row


def _is_set(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _is_position(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value) and -1 <= value <= 2
