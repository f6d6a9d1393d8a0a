"""Ctrl-C and SIGTERM: end gently the first time, at once the second."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from catalog import StopSignal

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible(stop: StopSignal) -> Iterator[None]:
    """Let signals interrupt a scan: what it is working on is finished and kept, then KeyboardInterrupt is raised.

    The process then ends at once: a thread that hangs in a read would be joined for ever, and closing what ends with
    the process anyway would only take time that systemd may not give.
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
            print("catalog: Interrupted; what was finished is kept.", file=sys.stderr, flush=True)  # noqa: T201
            sys.stdout.flush()
            os._exit(130)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
