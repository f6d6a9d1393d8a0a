"""Catalogues for the tests of this room."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from catalog.store.database import Database, open_database


@pytest.fixture
def light_database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """An empty catalogue on SQLite alone, for facts that do not depend on the database."""
    path = tmp_path / "catalog.sqlite3"
    shutil.copyfile(sqlite_template, path)
    opened = open_database(str(path))
    yield opened
    opened.close()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)
