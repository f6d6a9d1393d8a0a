"""The progress bar of a scan, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tqdm import tqdm

from catalog import OutcomeKind

if TYPE_CHECKING:
    from catalog import Outcome, ScanRun

_SECONDS_BEFORE_COUNT = 2.0
"""A scan that ends sooner needs no total, and counting would slow it down."""
_MIN_INTERVAL = 0.1
"""Seconds between two updates of the bar."""


def with_progress(run: ScanRun, *, quiet: bool = False) -> Iterator[Outcome]:
    """Yield the outcomes. Shows a bar if stderr is a terminal, and removes it at the end.

    The bar shows the rate in photos per second. As soon as the photos of the sources are counted, it also shows the
    total, the percentage and the time left.
    """
    if quiet or not sys.stderr.isatty():
        yield from run
        return
    started = time.monotonic()
    is_counting = False
    with tqdm(
        desc="scan",
        unit=" photos",
        smoothing=0.05,
        leave=False,
        dynamic_ncols=True,
        mininterval=_MIN_INTERVAL,
        file=sys.stderr,
    ) as bar:
        faces = failed = 0
        for outcome in run:
            faces += outcome.faces
            failed += outcome.kind is OutcomeKind.FAILED
            # Writing the postfix costs more time than an unchanged photo does.
            if outcome.kind is not OutcomeKind.UNCHANGED:
                bar.set_postfix(faces=faces, failed=failed, refresh=False)
            if outcome.kind is not OutcomeKind.LEFT_OUT:
                bar.update()
            if not is_counting and time.monotonic() - started > _SECONDS_BEFORE_COUNT:
                is_counting = True
                run.count_photos()
            if bar.total is None and run.expected is not None:
                bar.total = run.expected
            if bar.total is not None and bar.n > bar.total:
                bar.total = bar.n  # the folder grew, or holds photos without a usual ending
            yield outcome
