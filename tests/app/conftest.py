"""Catalogues of the application's tests: scanned portraits, and one that a script made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import catalog
from tests.review_catalogue import make_catalogue

PORTRAITS = Path(__file__).parent.parent / "fixtures"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[catalog.Catalog]:
    """A scanned catalogue of the portraits: three photos of one man, one of another man, one of a woman."""
    with catalog.open(tmp_path / "catalog.sqlite3", create=True) as opened:
        for _ in opened.scan([PORTRAITS]):
            pass
        yield opened


@pytest.fixture
def made_library(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[catalog.Catalog]:
    """A catalogue of 1,200 faces and 60 persons with questions, on SQLite or on the database that a test names."""
    address = str(tmp_path / "catalog.sqlite3")
    if getattr(request, "param", "sqlite") == "postgresql":
        address = request.getfixturevalue("postgresql_url")
    make_catalogue(address, tmp_path, 1_200, real_photos=1, size=(2000, 1500))
    with catalog.open(address) as opened:
        yield opened
