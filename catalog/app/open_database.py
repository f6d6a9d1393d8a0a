"""The catalogue's database, as the settings name it."""

from __future__ import annotations

from catalog.app.settings import Settings, default_database
from catalog.store.connections import missing_catalogue
from catalog.store.database import Database, open_database
from catalog.store.database_address import is_file, parse_address, safe_form, sqlite_path


def database_address(settings: Settings) -> str:
    """The catalogue's address: a url, or the path of an SQLite file."""
    return settings.database.url or str(default_database())


def shown_address(settings: Settings) -> str:
    """The catalogue's address without a password."""
    return safe_form(parse_address(database_address(settings)))


def database_exists(settings: Settings) -> bool:
    """False if the catalogue is an SQLite file that does not exist yet."""
    url = parse_address(database_address(settings))
    return not is_file(url) or sqlite_path(url).exists()


def check_exists(settings: Settings) -> None:
    """Raise DatabaseError if the catalogue is an SQLite file that does not exist."""
    if not database_exists(settings):
        raise missing_catalogue(shown_address(settings))


def open_existing(settings: Settings) -> Database:
    """The database read-only; an empty one in memory if the catalogue does not exist."""
    if database_exists(settings):
        return open_database(database_address(settings), read_only=True)
    return open_database("sqlite://")
