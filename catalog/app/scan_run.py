"""One scan as a program sees it: an iterator over outcomes, then a summary."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING

from catalog.app.hit_crops import HitCrops
from catalog.app.lazy_module import LazyModule
from catalog.app.library_zone import time_zone
from catalog.app.photo_count import PhotoCount
from catalog.app.post_command import run_post_command
from catalog.app.resources import Resources
from catalog.app.scan_options import FailCondition, ScanLimits
from catalog.app.scan_summary import ScanSummary, frozen_summary
from catalog.app.settled_scan import ScanEnd
from catalog.app.watch_hit_json import hit_json
from catalog.domain.errors import CatalogError, CheckRefused, UsageError
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.engines.engine_spec import SpendingLimit
from catalog.engines.prefilter import PrefilteredEngine
from catalog.scanning.plan import Unchanged
from catalog.scanning.run_scan import RunLimits, scan
from catalog.scanning.stop_signal import StopSignal
from catalog.scanning.summary import Summary

_CROP_SIDE = 256
"""Longest side of a hit's crop in pixels."""

if TYPE_CHECKING:
    from catalog.app import after_scan as after_scan_steps
    from catalog.app import cluster_reading, finding, hit_crops
    from catalog.app.remote_reader import PreparationCluster
    from catalog.identities.matching.watch_hits import WatchHit
    from catalog.store import stack_rows
else:
    after_scan_steps = LazyModule("catalog.app.after_scan")
    finding = LazyModule("catalog.app.finding")
    hit_crops = LazyModule("catalog.app.hit_crops")
    cluster_reading = LazyModule("catalog.app.cluster_reading")
    stack_rows = LazyModule("catalog.store.stack_rows")


class ScanRun(Iterator[Outcome]):
    """A running scan: iterate over it for one :class:`Outcome` per photo, then read ``summary``.

    The scan runs while it is iterated. ``close`` ends it early; finished photos are recorded, and the next scan
    continues there. Iteration raises SourceError, EngineError, DatabaseError, LockHeld, and KeyboardInterrupt after
    ``stop.interrupt()``.
    """

    def __init__(
        self,
        resources: Resources,
        addresses: Sequence[str],
        limits: ScanLimits,
        stop: StopSignal | None,
        fail_on: Sequence[FailCondition],
        post_command: str | None,
        exclude: Sequence[str] = (),
        crops: Path | None = None,
        cluster: PreparationCluster | None = None,
    ) -> None:
        self._resources = resources
        self._addresses = addresses
        self._limits = limits
        self._stop = stop or StopSignal(limits.seconds)
        self._fail_on = tuple(FailCondition(condition) for condition in fail_on)
        self._post_command = post_command
        self._exclude = tuple(exclude)
        self._crop_folder = crops
        self._crops = HitCrops()
        self._cluster = cluster
        self._summary: ScanSummary | None = None
        self._count: PhotoCount | None = None
        self._lock = Lock()  # a generator must not be entered by two threads
        self._steps = self._run()
        self._unchanged: Iterator[Outcome] = iter(())

    def __iter__(self) -> ScanRun:
        return self

    def __next__(self) -> Outcome:
        with self._lock:
            for outcome in self._unchanged:
                return outcome
            step = next(self._steps)
            if isinstance(step, Outcome):
                return step
            self._unchanged = step.outcomes(self._resources.database)
            return next(self._unchanged)

    def outcomes_but_unchanged(self, on_unchanged: Callable[[int], object]) -> Iterator[Outcome]:
        """Iterate over the outcomes without those of unchanged photos, which takes half the time of a nightly scan.

        ``on_unchanged`` is called with numbers of unchanged photos, at most 1,000 at once.
        """
        while True:
            with self._lock:
                step = next(self._steps, None)
            if step is None:
                return
            if isinstance(step, Outcome):
                yield step
            else:
                on_unchanged(len(step.locations))

    def __enter__(self) -> ScanRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the scan. Finished photos are recorded. A second call does nothing."""
        if self._count is not None:
            self._count.stop()
        with self._lock:
            self._steps.close()

    @property
    def expected(self) -> int | None:
        """Number of photos in the sources, recognized by their names; None until ``count_photos`` is done."""
        return None if self._count is None else self._count.total

    def count_photos(self) -> None:
        """Start to count the photos of folders in the background. Buckets are not counted, because listing costs."""
        if self._count is None and not any(address.startswith("s3://") for address in self._addresses):
            self._count = PhotoCount(self._resources.sources(self._addresses, self._exclude))
            self._count.start()

    @property
    def summary(self) -> ScanSummary:
        """The counts, after the last outcome. Raises UsageError before."""
        if self._summary is None:
            raise UsageError("The scan has no summary yet.", remedy="Iterate to the last outcome first.")
        return self._summary

    @property
    def crops(self) -> HitCrops:
        """The crops of new hits, after the last outcome. Empty without a folder for them."""
        return self._crops

    def check(self) -> int:
        """The exit code of the finished scan: 0, or 3 if photos failed.

        Raises ``summary.stopped_by``, and CheckRefused if a condition of ``fail_on`` is met.
        """
        summary = self.summary
        if summary.stopped_by is not None:
            raise summary.stopped_by
        counts = {
            FailCondition.CHURN: (summary.churn, "faces were separated from other faces of their person"),
            FailCondition.CONFLICTS: (summary.conflicts, "persons have two faces on one photo"),
            FailCondition.HITS: (len(summary.hits), "new hits on the watch list are unreviewed"),
        }
        for condition in self._fail_on:
            count, meaning = counts[condition]
            if count:
                raise CheckRefused(f"{count:,} {meaning}.")
        return 3 if summary.failed else 0

    def _run(self) -> Generator[Outcome | Unchanged]:
        exit_code = 1
        try:
            limit = SpendingLimit(self._limits.calls, self._limits.dollars)
            with self._resources.with_spending_limit(limit) as resources:
                yield from self._scan(resources)
            try:
                exit_code = self.check()
            except CatalogError as error:  # raised again by the caller's check()
                exit_code = error.exit_code
        except CatalogError as error:
            exit_code = error.exit_code
            raise
        except KeyboardInterrupt:
            exit_code = 130
            raise
        finally:
            if self._post_command is not None:
                self._notify(self._post_command, exit_code)

    def _scan(self, resources: Resources) -> Iterator[Outcome | Unchanged]:
        hits: tuple[WatchHit, ...] = ()

        def after_scan(scan_id: int, summary: Summary) -> None:
            nonlocal hits

            def run_steps() -> tuple[WatchHit, ...]:
                return after_scan_steps.run_after_scan_steps(resources, scan_id, summary, cluster=self._cluster)

            # The summary of a worker counts its own photos only.
            is_alone = not limits.shared
            hits = ScanEnd(resources, scan_id, summary).run_if_needed(run_steps, ()) if is_alone else run_steps()

        limits = self._limits
        engine = resources.scan_engine
        is_paid = resources.configured_engine.capabilities.is_paid
        if is_paid and not resources.settings.scan.stacks:
            with resources.database.begin() as connection:
                stack_rows.queue_for_enrollment(connection)
        items = scan(
            resources.sources(self._addresses, self._exclude),
            database=resources.database,
            engine=engine,
            open_photo=resources.open_photo,
            after_scan=after_scan,
            gallery=resources.gallery,
            region=resources.region,
            version=version("face-catalog"),
            workers=resources.workers,
            store_expressions=resources.settings.employees.store_expressions,
            limits=RunLimits(
                photos=limits.photos,
                stop=self._stop,
                wait_seconds=limits.wait_seconds,
                believe_empty=limits.believe_empty,
                shared=limits.shared,
            ),
            zone=time_zone(resources.settings.scan.time_zone),
            pays_per_shot=is_paid and resources.settings.scan.stacks,
            make_reader=None if self._cluster is None else cluster_reading.reader_on(resources, self._cluster),
        )
        for item in items:
            if isinstance(item, Summary):
                prefilter = replace(engine.counts) if isinstance(engine, PrefilteredEngine) else None
                note = resources.configured_engine.price_note() if item.calls else ""
                self._summary = frozen_summary(item, hits, prefilter, note)
                if self._crop_folder is not None and hits:
                    self._crops = self._write_crops(resources, hits, self._crop_folder)
            elif isinstance(item, Unchanged) or item.kind is not OutcomeKind.NOT_A_PHOTO:  # counted in the summary
                yield item

    @staticmethod
    def _write_crops(resources: Resources, hits: Sequence[WatchHit], folder: Path) -> HitCrops:
        return hit_crops.write_hit_crops(partial(finding.crop, resources, side=_CROP_SIDE), hits, folder)

    def _notify(self, command: str, exit_code: int) -> None:
        counts = {**self._summary.counts(), "missing": self._summary.missing} if self._summary else {}
        new_hits = self._summary.hits if self._summary else ()
        hits = [hit_json(hit, self._crops.paths.get(hit.number)) for hit in new_hits]
        run_post_command(
            command,
            {"summary": True, "exit_code": exit_code, **counts, "hits": hits},
            {"CATALOG_EXIT_CODE": str(exit_code)},
        )
