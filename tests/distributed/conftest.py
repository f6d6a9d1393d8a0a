"""Clusters of real processes on this machine, real portraits, and the rows that a scan leaves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import catalog
from catalog.distributed.cluster import DaskCluster
from catalog.distributed.processes import ClusterProcesses
from tests.recorded_rows import recorded_rows

PORTRAITS = Path(__file__).parent.parent / "fixtures"


@pytest.fixture(scope="package")
def cluster() -> Iterator[DaskCluster]:
    """Two workers, as ``local:2`` starts them. Their environment holds credentials for a test server of S3.

    Also idle processes of Dask take processor time. They end with the tests of this folder.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("AWS_", "CATALOG_", "PG")):
                patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "a")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-worker")
        opened = catalog.connect_cluster("local:2", wait_seconds=60)
    with opened:
        yield opened


@pytest.fixture
def start_cluster() -> Iterator[Callable[..., ClusterProcesses]]:
    """Starts a scheduler and workers that the test may kill."""
    started: list[ClusterProcesses] = []

    def start(workers: int, **options: Any) -> ClusterProcesses:
        started.append(ClusterProcesses(workers, **options))
        return started[-1]

    yield start
    for processes in reversed(started):
        processes.close()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five portraits, a copy of one, a damaged photo, a photo without face, and a file that is no photo."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for photo in sorted(PORTRAITS.glob("*.jpg")):
        (folder / photo.name).write_bytes(photo.read_bytes())
    (folder / "copy.jpg").write_bytes((PORTRAITS / "biden.jpg").read_bytes())
    (folder / "damaged.jpg").write_bytes((PORTRAITS / "biden.jpg").read_bytes()[:900])
    (folder / "notes").write_bytes(b"no photo")
    Image.new("RGB", (200, 150), (90, 120, 90)).save(folder / "meadow.png")
    return folder


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 photos of three men, so that a scan takes some seconds; to be read only."""
    folder = tmp_path_factory.mktemp("many")
    for name in ("biden", "obama_1", "astronaut"):
        image = Image.open(PORTRAITS / f"{name}.jpg").convert("RGB")
        for number in range(8):
            written = BytesIO()
            image.resize((image.width - number, image.height - number)).save(written, "JPEG", quality=90)
            (folder / f"{name}_{number:02}.jpg").write_bytes(written.getvalue())
    return folder


@pytest.fixture(scope="session")
def rows() -> Callable[[str], dict[str, Any]]:
    return recorded_rows


@pytest.fixture(scope="session")
def scan() -> Callable[..., list[catalog.Outcome]]:
    """Scans sources into the catalogue at an address, on a cluster or without one; returns the outcomes."""

    def run(
        url: str,
        source: Path | str,
        cluster: DaskCluster | None = None,
        on_outcome: Callable[[catalog.Outcome], None] = lambda outcome: None,
        **settings: Any,
    ) -> list[catalog.Outcome]:
        outcomes = []
        keys = {key.replace("__", "."): value for key, value in settings.items()}
        with catalog.open(url, create=True, settings=keys) as opened:
            for outcome in opened.scan([source], cluster=cluster):
                outcomes.append(outcome)
                on_outcome(outcome)
        return outcomes

    return run
