"""A question that takes long says so on a terminal, and clears the message at its end."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from catalog.cli.slow_progress import slow_progress


class Terminal(io.StringIO):
    """A stream that tells when a text is written."""

    def __init__(self, *, is_terminal: bool = True) -> None:
        super().__init__()
        self._is_terminal = is_terminal
        self.has_rows = threading.Event()

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        count = super().write(text)
        if "rows so far" in text:
            self.has_rows.set()
        return count


def test_rows_and_time_are_shown_and_cleared(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with slow_progress("report people", quiet=False, after=0, interval=0.01) as progress:
        progress.add(1200)
        progress.add(34)
        assert terminal.has_rows.wait(30)
    assert "report people takes long: 0:00, 1,234 rows so far" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("quiet", "is_terminal"), [(True, True), (False, False)])
def test_nothing_is_shown_if_quiet_or_without_a_terminal(monkeypatch, quiet, is_terminal):
    """No thread is started either."""
    terminal = Terminal(is_terminal=is_terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    before = threading.active_count()
    with slow_progress("report people", quiet=quiet, after=0, interval=0.01) as progress:
        progress.add(1)
        assert threading.active_count() == before
    assert terminal.getvalue() == ""


def test_a_quick_question_shows_nothing(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with slow_progress("report people", quiet=False, after=3600) as progress:
        progress.add(1)
    assert terminal.getvalue() == ""


def test_the_message_is_cleared_before_an_error(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    def fail() -> None:
        with slow_progress("sql", quiet=False, after=0, interval=0.01) as progress:
            progress.add(1)
            assert terminal.has_rows.wait(30)
            raise ValueError("failed")

    with pytest.raises(ValueError, match="failed"):
        fail()
    assert terminal.getvalue().endswith("\r\x1b[K")
