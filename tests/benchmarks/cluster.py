"""Scaling of a cluster whose workers only wait, and the coordinator's speed and memory over many locations.

    python -m tests.benchmarks.cluster [--workers 1,2,4,8,16] [--seconds 0.4] [--photos-per-worker 60]
                                       [--locations 20000]

Prints the efficiency for each number of workers: the time of the waits alone, divided by the time of the scan. Then
scans many locations without waits and prints photos per second and the memory of the coordinator at four points.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from catalog.app.open_source import PhotoAccess
from catalog.app.photo_preparation import (
    ChunkResult,
    PreparationChunk,
    PreparationResult,
    PreparationSettings,
    WorkerRequirements,
)
from catalog.app.remote_reader import RemoteReader
from catalog.distributed.cluster import DaskCluster
from catalog.distributed.processes import ClusterProcesses
from catalog.domain.errors import CatalogError
from catalog.domain.faces import QualityFilter
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import Outcome, PhotoRef
from catalog.domain.prepared_photo import PreparedPhoto
from catalog.domain.source import Content, Listed
from catalog.engines.local.engine import LocalEngine
from catalog.images.decode import DecodeLimits, open_image
from catalog.scanning.run_scan import scan
from catalog.store.database import open_database


def wait_for_photos(chunk: PreparationChunk, seconds: float) -> ChunkResult:
    """Wait for each photo, and return photos without faces. Runs on a worker."""
    began = time.monotonic()
    results = []
    for listed in chunk.photos:
        time.sleep(seconds)
        photo = OpenedPhoto(np.zeros((0, 1, 3), np.uint8), 100, 100, "JPEG")
        sha256 = hashlib.sha256(listed.ref.uri.encode()).hexdigest()
        results.append(PreparationResult(sha256, 1, PreparedPhoto(photo)))
    return ChunkResult(tuple(results), time.monotonic() - began)


class WaitingCluster(DaskCluster):
    """A cluster whose workers wait ``seconds`` for each photo."""

    seconds = 0.0

    def check(self, requirements: WorkerRequirements) -> dict[str, CatalogError | None]:
        return {}

    def submit(self, chunk: PreparationChunk) -> Future[ChunkResult]:
        return self.run(wait_for_photos, chunk, self.seconds)


class MadeSource:
    """Lists locations that do not exist."""

    uri = "file:///made/"

    def __init__(self, count: int) -> None:
        self._count = count

    def list(self) -> Iterator[Listed]:
        return (PhotoRef(f"file:///made/{number:07}.jpg", 1, 1) for number in range(self._count))

    def open(self, ref: PhotoRef) -> Content:
        raise AssertionError("the workers only wait: no photo is read")

    def head(self, ref: PhotoRef, size: int) -> bytes:
        return b""


def requirements_of(source: Any) -> WorkerRequirements:
    access = PhotoAccess(source.uri, 1, "", "", "", requester_pays=False, amazon_reads=False)
    settings = PreparationSettings(
        scan="benchmark",
        access=access,
        engine="local",
        quality_filter=QualityFilter.AUTO,
        attributes="none",
        max_side=1000,
        limits=DecodeLimits(),
    )
    return WorkerRequirements("", "", settings)


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def timed_scan(cluster: WaitingCluster, photos: int, *, report_memory: bool = False) -> float:
    """Seconds of a scan into a new SQLite catalogue."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"{folder}/catalog.sqlite3")
        engine = LocalEngine(database.engine, enrolling=database.later, attributes="none")
        began, count = time.monotonic(), 0
        for item in scan(
            [MadeSource(photos)],
            database=database,
            engine=engine,
            open_photo=open_image,
            after_scan=lambda _scan_id, _summary: None,
            gallery="catalog",
            version="benchmark",
            workers=4,
            make_reader=lambda is_enrolled: RemoteReader(cluster, requirements_of, is_enrolled, sends_images=False),
        ):
            count += isinstance(item, Outcome)
            if report_memory and isinstance(item, Outcome) and count % max(photos // 4, 1) == 0:
                print(
                    f"  {count:>9,} photos: {count / (time.monotonic() - began):,.0f} a second, "
                    f"{resident_megabytes():,.0f} MB"
                )
        seconds = time.monotonic() - began
        database.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", default="1,2,4,8,16")
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--photos-per-worker", type=int, default=60)
    parser.add_argument("--locations", type=int, default=20_000)
    options = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])  # the workers import this module
    numbers = [int(number) for number in options.workers.split(",")]
    for workers in numbers:
        processes = ClusterProcesses(workers)
        try:
            with WaitingCluster(processes.address, None, wait_seconds=120, least_threads=workers) as cluster:
                cluster.seconds = options.seconds
                photos = workers * options.photos_per_worker
                seconds = timed_scan(cluster, photos)
                alone = options.photos_per_worker * options.seconds
                print(
                    f"{workers:>3} workers: {photos / seconds:6.1f} photos a second, efficiency {alone / seconds:.2f}"
                )
                if workers == numbers[-1] and options.locations:
                    cluster.seconds = 0.0
                    timed_scan(cluster, options.locations, report_memory=True)
        finally:
            processes.close()


if __name__ == "__main__":
    # Workers import wait_for_photos by the name of its module.
    from tests.benchmarks.cluster import main as run

    run()
