"""A message on stderr while a question to the database takes long: rows so far and elapsed time, cleared at the end."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_SECONDS_BEFORE_MESSAGE = 5.0
_INTERVAL = 1.0
"""Seconds between two updates."""
_CLEAR = "\r\x1b[K"


class SlowProgress:
    """Counts rows, and shows them after 5 seconds, each second. Another thread writes, because the caller waits."""

    def __init__(self, name: str, stream: TextIO, *, after: float, interval: float) -> None:
        self._name = name
        self._stream = stream
        self._after = after
        self._interval = interval
        self._rows = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._thread.start()

    def add(self, rows: int) -> None:
        """Count further rows."""
        self._rows += rows

    def end(self) -> None:
        """Clear the message. Further calls do nothing."""
        self._ended.set()
        self._thread.join()

    def _show(self) -> None:
        started = time.monotonic()
        if self._ended.wait(self._after):
            return
        while True:
            seconds = round(time.monotonic() - started)
            rows = f", {self._rows:,} rows so far" if self._rows else ""
            self._write(f"{_CLEAR}{self._name} takes long: {seconds // 60}:{seconds % 60:02}{rows} (Ctrl-C ends it)")
            if self._ended.wait(self._interval):
                break
        self._write(_CLEAR)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class NoProgress:
    """Counts nothing and shows nothing."""

    def add(self, rows: int) -> None:
        pass

    def end(self) -> None:
        pass


Progress = SlowProgress | NoProgress


@contextmanager
def slow_progress(
    name: str, *, quiet: bool, after: float = _SECONDS_BEFORE_MESSAGE, interval: float = _INTERVAL
) -> Iterator[Progress]:
    """Show the message while the block runs. Nothing is shown if ``quiet``, or if stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield NoProgress()
        return
    progress = SlowProgress(name, sys.stderr, after=after, interval=interval)
    try:
        yield progress
    finally:
        progress.end()
