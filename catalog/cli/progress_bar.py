"""The progress bar of a scan, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from catalog import OutcomeKind

if TYPE_CHECKING:
    from tqdm import tqdm

    from catalog import Outcome, ScanRun

_SECONDS_BEFORE_COUNT = 2.0
"""A scan that ends sooner needs no total, and counting would slow it down."""
_MIN_INTERVAL = 0.1
"""Seconds between two updates of the bar."""


class _Progress:
    """Brings the bar up to date, and starts the count of the photos after two seconds."""

    def __init__(self, run: ScanRun, bar: tqdm[NoReturn]) -> None:
        self._run = run
        self._bar = bar
        self._started = time.monotonic()
        self._is_counting = False
        self._faces = self._failed = 0

    def add(self, outcome: Outcome) -> None:
        self._faces += outcome.faces
        self._failed += outcome.kind is OutcomeKind.FAILED
        # Writing the postfix costs more time than an unchanged photo does.
        if outcome.kind is not OutcomeKind.UNCHANGED:
            self._bar.set_postfix(faces=self._faces, failed=self._failed, refresh=False)
        self.advance(outcome.kind is not OutcomeKind.LEFT_OUT)

    def advance(self, number: int) -> None:
        """Count so many further photos."""
        self._bar.update(number)
        if not self._is_counting and time.monotonic() - self._started > _SECONDS_BEFORE_COUNT:
            self._is_counting = True
            self._run.count_photos()
        if self._bar.total is None and self._run.expected is not None:
            self._bar.total = self._run.expected
        if self._bar.total is not None and self._bar.n > self._bar.total:
            self._bar.total = self._bar.n  # the folder grew, or holds photos without a usual ending


def with_progress(run: ScanRun, *, quiet: bool = False, with_unchanged: bool = True) -> Iterator[Outcome]:
    """Yield the outcomes. Shows a bar if stderr is a terminal, and removes it at the end.

    The bar shows the rate in photos per second. As soon as the photos of the sources are counted, it also shows the
    total, the percentage and the time left. Without ``with_unchanged`` unchanged photos are only counted.
    """
    if quiet or not sys.stderr.isatty():
        yield from run if with_unchanged else run.outcomes_but_unchanged(lambda _: None)
        return
    from tqdm import tqdm  # most scans run without a terminal, and need no bar

    with tqdm(
        desc="scan",
        unit=" photos",
        smoothing=0.05,
        leave=False,
        dynamic_ncols=True,
        mininterval=_MIN_INTERVAL,
        file=sys.stderr,
    ) as bar:
        progress = _Progress(run, bar)
        for outcome in run if with_unchanged else run.outcomes_but_unchanged(progress.advance):
            progress.add(outcome)
            yield outcome


def print_above_bar(line: str) -> None:
    """Print a line on stderr. A bar that is shown stays below it."""
    from tqdm import tqdm  # most scans have nothing to print here

    tqdm.write(line, file=sys.stderr)
