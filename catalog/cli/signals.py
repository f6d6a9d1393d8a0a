"""Ctrl-C and SIGTERM: a scan finishes the photos in progress at the first signal; a server ends at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog import StopSignal

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible(stop: StopSignal) -> Iterator[None]:
    """Let signals interrupt a scan. The scan records the photos in progress, then raises KeyboardInterrupt.

    The process then ends at once. Joining a thread that hangs in a read would never end, and closing resources takes
    time that systemd may not allow.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_polled and not stop.is_interrupted:
            stop.interrupt()
        else:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield
    except KeyboardInterrupt:
        if stop.is_interrupted:
            print("catalog: Interrupted. Finished photos are recorded.", file=sys.stderr, flush=True)  # noqa: T201
            sys.stdout.flush()
            os._exit(130)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt within the block, as Ctrl-C does."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
