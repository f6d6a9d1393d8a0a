"""SIGTERM ends a server as Ctrl-C does."""

from __future__ import annotations

import signal

import pytest

from catalog.cli.signals import sigterm_as_ctrl_c


def test_sigterm_is_ctrl_c_within_the_block_only():
    """The earlier handler is back afterwards, also in a program that runs several commands."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_as_ctrl_c():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
