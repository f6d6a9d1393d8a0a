"""Folder of the search files of one database. An engine writes them; they hold biometric data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import platformdirs

from catalog.domain.errors import DatabaseError
from catalog.store.database import Database


def search_folder(database: Database, chosen: str) -> Path | None:
    """The folder for this database; None for a database in memory. ``chosen`` is the setting, or empty.

    Two databases never share a folder. The folder need not exist.
    """
    if database.path is None and database.dialect == "sqlite":
        return None
    if database.path is not None and not chosen:
        path = database.path.resolve()
        return path.with_name(f"{path.name}.search")
    name = hashlib.sha256(repr(_place(database)).encode()).hexdigest()[:16]
    if chosen:
        return Path(chosen).expanduser() / name
    return Path(platformdirs.user_cache_dir("catalog", appauthor=False), "search", name)


def _place(database: Database) -> list[object]:
    if database.path is not None:
        return [str(database.path.resolve())]
    address = database.address
    options = {name: value for name, value in address.query.items() if name in {"host", "port", "dbname"}}
    return [address.host, address.port, address.database, sorted(options.items())]


def delete_search_files(database: Database, chosen: str) -> None:
    """Delete the search files of the database, and unfinished ones. The next searches build them again.

    Raises DatabaseError.
    """
    folder = search_folder(database, chosen)
    if folder is None:
        return
    try:
        for file in (*folder.glob("*.vectors"), *folder.glob("*.vectors.part")):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise DatabaseError(
            f'The catalogue is restored, but the folder "{folder}" cannot be emptied: {error.strerror}.',
            remedy="Delete the folder. The next search builds its files again.",
        ) from error
