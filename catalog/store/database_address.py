"""Parsing of database addresses."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from catalog.domain.errors import DatabaseError

_FORMS = "Use a file (photos.sqlite3, sqlite:////home/me/photos.sqlite3) or a server (postgresql://user@host/name)."
_SECRETS = {"password", "sslpassword", "passfile"}
_POSTGRESQL = {"postgresql", "postgres", "postgresql+psycopg"}


def parse_address(address: str) -> URL:
    """Return a url with driver ``sqlite`` and an absolute path, or with driver ``postgresql+psycopg``.

    An address without ``scheme://`` is the path of an SQLite file, with ``~`` expanded. ``sqlite://`` is a database in
    memory, which ends with the process. Raises ``DatabaseError``.
    """
    if "://" not in address:
        if not address.strip():
            raise DatabaseError("The address of the database is empty.", remedy=_FORMS)
        return _sqlite(address)
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        # The address may hold a password, so that the message does not repeat it.
        raise DatabaseError("The address of the database is not a valid url.", remedy=_FORMS) from error
    if url.drivername in _POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        return _sqlite(url.database) if url.database not in (None, "", ":memory:") else URL.create("sqlite")
    raise DatabaseError(f"Databases of kind '{url.drivername}' are not supported.", remedy=_FORMS)


def safe_form(url: URL) -> str:
    """Return the address without its secrets, for messages and logs."""
    if url.drivername != "sqlite":
        # libpq reads secrets from the query string, too.
        query = {name: "***" if name in _SECRETS else value for name, value in url.query.items()}
        return url.set(query=query).render_as_string(hide_password=True)
    return "in memory" if url.database is None else str(sqlite_path(url))


def sqlite_path(url: URL) -> Path:
    """Return the file of an SQLite database; it must have one."""
    assert url.database is not None
    return Path(url.database)


def is_file(url: URL) -> bool:
    """Return True for an SQLite database in a file."""
    return url.drivername == "sqlite" and url.database is not None


def _sqlite(path: str) -> URL:
    return URL.create("sqlite", database=str(Path(path).expanduser().absolute()))
