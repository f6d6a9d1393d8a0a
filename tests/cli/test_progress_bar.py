"""The progress bar of a scan on a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from catalog import Outcome, OutcomeKind
from catalog.cli import progress_bar
from catalog.cli.progress_bar import with_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Run:
    """Five photos. Their number is known after the first."""

    expected: int | None = None

    def __iter__(self):
        for number in range(5):
            yield Outcome(f"file:///{number}.jpg", OutcomeKind.NEW, faces=2)

    def outcomes_but_unchanged(self, on_unchanged):
        on_unchanged(1)
        yield Outcome("file:///1.jpg", OutcomeKind.NEW, faces=2)
        on_unchanged(3)

    def count_photos(self):
        self.expected = 5


def drawn_by(run: Run, monkeypatch: pytest.MonkeyPatch, *, quiet: bool) -> str:
    """Text on stderr for all outcomes of a run."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress_bar, "_SECONDS_BEFORE_COUNT", -1.0)
    monkeypatch.setattr(progress_bar, "_MIN_INTERVAL", 0.0)
    assert len(list(with_progress(run, quiet=quiet))) == 5
    return terminal.getvalue()


def test_the_bar_shows_total_share_rate_and_is_removed(monkeypatch):
    """The last update is 100 %. The line is empty at the end, so that the table begins in column 1."""
    drawn = drawn_by(Run(), monkeypatch, quiet=False)
    assert "100%" in drawn
    assert "5/5" in drawn
    assert "photos/s" in drawn
    assert "faces=10" in drawn
    assert drawn.endswith("\r")
    assert not drawn.split("\r")[-2].strip()


def test_quiet_draws_no_bar(monkeypatch):
    """The outcomes are the same."""
    assert drawn_by(Run(), monkeypatch, quiet=True) == ""


@pytest.mark.parametrize("is_terminal", [True, False])
def test_unchanged_photos_are_counted_and_not_yielded(monkeypatch, is_terminal):
    """The bar reaches 100 % all the same."""
    terminal = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress_bar, "_SECONDS_BEFORE_COUNT", -1.0)
    monkeypatch.setattr(progress_bar, "_MIN_INTERVAL", 0.0)
    assert [outcome.uri for outcome in with_progress(Run(), with_unchanged=False)] == ["file:///1.jpg"]
    assert ("5/5" in terminal.getvalue()) is is_terminal
