"""A library of Apple Photos, made for tests: the tables and columns that Photos 5, 6 and 9 have."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

UUIDS = tuple(f"{digit}1B2C3D4-0000-4000-8000-00000000000{digit}" for digit in "ABCDEF")


@dataclass
class MadeFace:
    """A face of ``uuid``; the center has its origin at the bottom left, and ``person`` is a key of ZPERSON."""

    uuid: str
    person: int | None
    x: object = 0.5
    y: object = 0.5
    size: object = 0.5
    hidden: int = 0
    trashed: int = 0
    manual: int = 0


@dataclass
class Schema:
    """Names that changed between versions of Photos."""

    assets: str = "ZASSET"
    asset_key: str = "ZASSETFORFACE"
    person_key: str = "ZPERSONFORFACE"
    adjusted: str = "ZADJUSTMENTSSTATE"


PHOTOS_5 = Schema("ZGENERICASSET", "ZASSET", "ZPERSON", "ZHASADJUSTMENTS")
PHOTOS_6 = Schema("ZASSET", "ZASSET", "ZPERSON", "ZHASADJUSTMENTS")
PHOTOS_9 = Schema()


def original(library: Path, uuid: str, ending: str = "jpeg") -> Path:
    return library / "originals" / uuid[0] / f"{uuid}.{ending}"


def edit(library: Path, uuid: str) -> Path:
    return library / "resources" / "renders" / uuid[0] / f"{uuid}_1_201_a.jpeg"


def make_database(
    library: Path,
    faces: list[MadeFace],
    persons: dict[int, str | bytes | None],
    *,
    schema: Schema = PHOTOS_9,
    trashed: frozenset[str] = frozenset(),
    hidden: frozenset[str] = frozenset(),
    edited: frozenset[str] = frozenset(),
    merged: dict[int, int] | None = None,
    key_faces: dict[int, int] | None = None,
    dates: dict[str, tuple[object, object, object]] | None = None,
) -> Path:
    """Write ``database/Photos.sqlite`` with the photos ``UUIDS``. Faces have the keys 1, 2, ... in their order.

    ``dates``: seconds since 2001 UTC, offset from UTC in seconds, and the date that Photos read from the file.
    """
    database = library / "database" / "Photos.sqlite"
    database.parent.mkdir(parents=True, exist_ok=True)
    keys = {uuid: number for number, uuid in enumerate(UUIDS, 101)}
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            f"CREATE TABLE {schema.assets} (Z_PK INTEGER PRIMARY KEY, Z_ENT INTEGER, ZUUID VARCHAR,"
            f" ZTRASHEDSTATE INTEGER, ZHIDDEN INTEGER, {schema.adjusted} INTEGER, ZDIRECTORY VARCHAR,"
            " ZDATECREATED TIMESTAMP)"
        )
        connection.execute(
            "CREATE TABLE ZADDITIONALASSETATTRIBUTES (Z_PK INTEGER PRIMARY KEY, ZASSET INTEGER,"
            " ZTIMEZONEOFFSET INTEGER, ZEXIFTIMESTAMPSTRING VARCHAR)"
        )
        connection.execute(
            "CREATE TABLE ZPERSON (Z_PK INTEGER PRIMARY KEY, ZPERSONUUID VARCHAR, ZFULLNAME VARCHAR,"
            " ZDISPLAYNAME VARCHAR, ZMERGETARGETPERSON INTEGER, ZKEYFACE INTEGER)"
        )
        connection.execute(
            f"CREATE TABLE ZDETECTEDFACE (Z_PK INTEGER PRIMARY KEY, {schema.asset_key} INTEGER, {schema.person_key}"
            " INTEGER, ZCENTERX FLOAT, ZCENTERY FLOAT, ZSIZE FLOAT, ZHIDDEN INTEGER, ZISINTRASH INTEGER,"
            " ZMANUAL INTEGER, ZSOURCEWIDTH INTEGER, ZSOURCEHEIGHT INTEGER)"
        )
        connection.executemany(
            f"INSERT INTO {schema.assets} VALUES (?, 3, ?, ?, ?, ?, ?, ?)",
            [
                (
                    keys[uuid],
                    uuid,
                    uuid in trashed,
                    uuid in hidden,
                    uuid in edited,
                    uuid[0],
                    (dates or {}).get(uuid, (None,))[0],
                )
                for uuid in UUIDS
            ],
        )
        connection.executemany(
            "INSERT INTO ZADDITIONALASSETATTRIBUTES (ZASSET, ZTIMEZONEOFFSET, ZEXIFTIMESTAMPSTRING) VALUES (?, ?, ?)",
            [(keys[uuid], offset, in_file) for uuid, (_, offset, in_file) in (dates or {}).items()],
        )
        connection.executemany(
            "INSERT INTO ZPERSON VALUES (?, ?, ?, ?, ?, ?)",
            [
                (key, f"person {key}", name, name, (merged or {}).get(key), (key_faces or {}).get(key))
                for key, name in persons.items()
            ],
        )
        connection.executemany(
            "INSERT INTO ZDETECTEDFACE VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 4032, 3024)",
            [
                (
                    number,
                    keys[face.uuid],
                    face.person,
                    face.x,
                    face.y,
                    face.size,
                    face.hidden,
                    face.trashed,
                    face.manual,
                )
                for number, face in enumerate(faces, 1)
            ],
        )
    return database
