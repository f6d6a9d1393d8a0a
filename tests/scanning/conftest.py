"""A folder of drawings, the fake engine, and a scan of the one with the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from catalog.domain.photos import Outcome
from catalog.images.decode import open_image
from catalog.scanning.plan import Unchanged
from catalog.scanning.run_scan import RunLimits, scan
from catalog.scanning.summary import Summary
from catalog.sources.exclusions import Exclusions
from catalog.sources.folder import FolderSource
from catalog.store.database import Database
from tests.fakes import FakeEngine, FakeGallery


class Scanner:
    """Scans one folder as often as a test wants; each scan by a new engine on the same gallery."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.gallery = FakeGallery()
        self.engine = FakeEngine(self.gallery)
        self.outcomes: list[Outcome] = []

    def __call__(
        self,
        *folders: Path,
        limit: int | None = None,
        workers: int = 2,
        force: bool = False,
        exclude: Sequence[str] = (),
    ) -> Summary:
        """Run a scan to its end; its outcomes are in ``outcomes``, by name in :meth:`kinds`."""
        self.outcomes = []
        exclusions = Exclusions(exclude)
        sources = [FolderSource(folder, exclusions=exclusions) for folder in folders or [self.folder]]
        for item in scan(
            sources,
            database=self.database,
            engine=self.engine,
            open_photo=lambda data: open_image(data),
            after_scan=lambda scan_id, summary: None,
            gallery="catalog",
            version="test",
            workers=workers,
            limits=RunLimits(photos=limit, believe_empty=force),
        ):
            if isinstance(item, Summary):
                return item
            self.outcomes += item.outcomes(self.database) if isinstance(item, Unchanged) else [item]
        raise AssertionError("a scan ends with its summary")

    def kinds(self) -> dict[str, str]:
        """Outcome of each file of the last scan."""
        return {outcome.uri.rpartition("/")[2]: outcome.kind.value for outcome in self.outcomes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "photos"
    path.mkdir()
    return path


@pytest.fixture
def scanner(database: Database, folder: Path) -> Scanner:
    return Scanner(database, folder)


@pytest.fixture
def rows(database: Database) -> Callable[[str], list[tuple[object, ...]]]:
    """The rows of a query."""

    def ask(query: str) -> list[tuple[object, ...]]:
        with database.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    return ask
