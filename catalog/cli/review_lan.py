"""The terminal of ``catalog review --lan``: shows codes, and asks about each device that wants to connect."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable

import typer

ANSWER_SECONDS = 120.0
"""A device that is not allowed within this time is refused."""


class LanTerminal:
    """Reads the terminal in a thread of its own. An empty line asks for a new code."""

    def __init__(self, show_code: Callable[[], None]) -> None:
        self._show_code = show_code
        self._answers: queue.Queue[str] = queue.Queue()
        self._asking = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._read, name="terminal", daemon=True).start()

    def approve(self, device: str) -> bool:
        """Ask whether a device may connect. One device at a time; no answer is a no."""
        with self._asking:
            typer.echo(f"A device wants to connect ({device}). Allow? y/N ", nl=False)
            try:
                return self._answers.get(timeout=ANSWER_SECONDS).strip().lower() in {"y", "yes"}
            except queue.Empty:
                typer.echo("No answer: refused.")
                return False

    def _read(self) -> None:
        for line in sys.stdin:
            if self._asking.locked():
                self._answers.put(line)
            elif not line.strip():
                self._show_code()
