"""What a database's address may look like, and which kind of database it names."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from catalog.domain.errors import DatabaseError

_FORMS = "Use a file (photos.sqlite3, sqlite:////home/me/photos.sqlite3) or a server (postgresql://user@host/name)."
_SECRETS = {"password", "sslpassword", "passfile"}
_POSTGRESQL = {"postgresql", "postgres", "postgresql+psycopg"}


def parse_address(address: str) -> URL:
    """A url of one of two kinds: ``sqlite`` with an absolute path, or ``postgresql+psycopg``.

    What has no ``scheme://`` is the path of an SQLite file; ``~`` is the home folder. ``sqlite://`` is a database in
    memory, which ends with the program.
    """
    if "://" not in address:
        if not address.strip():
            raise DatabaseError("The address of the database is empty.", remedy=_FORMS)
        return _sqlite(address)
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        # The address itself is not repeated: it may hold a password.
        raise DatabaseError("The address of the database is not a valid url.", remedy=_FORMS) from error
    if url.drivername in _POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        return _sqlite(url.database) if url.database not in (None, "", ":memory:") else URL.create("sqlite")
    raise DatabaseError(f"The catalogue cannot live in a database of kind '{url.drivername}'.", remedy=_FORMS)


def safe_form(url: URL) -> str:
    """The address for messages and logs, without its password."""
    if url.drivername != "sqlite":
        # libpq takes secrets from the query, too.
        shown = {name: "***" if name in _SECRETS else value for name, value in url.query.items()}
        return url.set(query=shown).render_as_string(hide_password=True)
    return "in memory" if url.database is None else str(sqlite_path(url))


def sqlite_path(url: URL) -> Path:
    """The file of an SQLite database that has one."""
    assert url.database is not None
    return Path(url.database)


def is_file(url: URL) -> bool:
    """Whether it is an SQLite database in a file."""
    return url.drivername == "sqlite" and url.database is not None


def _sqlite(path: str) -> URL:
    return URL.create("sqlite", database=str(Path(path).expanduser().absolute()))
