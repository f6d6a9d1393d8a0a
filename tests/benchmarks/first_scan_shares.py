"""The share of exclusions and stacks in the processor time of a first scan.

``family_library`` prints it for its library. For another one, which is scanned into a new catalogue:

    python -m tests.benchmarks.first_scan_shares FOLDER

Threshold: below 10 % together. Exclusions are the listing with the rules minus the listing without them. Stacks are the
hash of each image, and forming them after the scan.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import catalog
from catalog.domain.errors import PhotoError
from catalog.domain.photos import PhotoRef
from catalog.images.decode import open_image
from catalog.images.image_hash import image_hash
from catalog.scanning.form_stacks import form_stacks
from catalog.sources.exclusions import Exclusions
from catalog.sources.folder import FolderSource
from catalog.store.database import open_database
from catalog.store.stack_rows import forget_stack_state

TIMES = 3
HASHED = 50
"""Photos whose hashing is timed."""


@dataclass(frozen=True)
class Shares:
    """Seconds of processor time."""

    scan: float
    exclusions: float
    hashes: float
    stacks: float

    @property
    def share(self) -> float:
        return (self.exclusions + self.hashes + self.stacks) / self.scan

    def __str__(self) -> str:
        return (
            f"processor seconds of the first scan: {self.scan:.1f}, of these exclusions {self.exclusions:.3f}, hashes "
            f"of images {self.hashes:.3f}, stacks {self.stacks:.3f}: {self.share:.2%}   (bar: 10 %)"
        )


def processor_seconds() -> float:
    """Of this process and of its processes that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def fastest(act: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMES):
        started = time.process_time()
        act()
        times.append(time.process_time() - started)
    return min(times)


def measure_shares(folder: Path, database: Path, scan_seconds: float) -> Shares:
    """Time the parts of a scan that is done."""

    def listing(*, use_defaults: bool) -> float:
        source = FolderSource(folder, exclusions=Exclusions(use_defaults=use_defaults))
        return fastest(lambda: deque(source.list(), maxlen=0))

    opened = open_database(f"sqlite:///{database}")

    def form() -> None:
        with opened.begin() as connection:
            forget_stack_state(connection)
        form_stacks(opened, enabled=True)

    stacks = fastest(form)
    opened.close()
    source = FolderSource(folder)
    refs = [ref for ref in source.list() if isinstance(ref, PhotoRef)]
    step = max(1, len(refs) // HASHED)
    images = []
    for ref in refs[::step]:
        try:
            images.append(open_image(source.open(ref).data))
        except PhotoError:
            continue
    hashes = sum(fastest(lambda pixels=image.pixels: image_hash(pixels)) for image in images)
    return Shares(
        scan_seconds,
        max(0.0, listing(use_defaults=True) - listing(use_defaults=False)),
        hashes / max(1, len(images)) * len(refs),
        stacks,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory(prefix="shares") as temporary:
        database = Path(temporary) / "catalog.sqlite3"
        started = processor_seconds()
        with catalog.open(database, create=True) as opened:
            for _ in opened.scan([folder]):
                pass
        print(measure_shares(folder, database, processor_seconds() - started))


if __name__ == "__main__":
    main()
