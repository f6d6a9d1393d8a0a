"""Durations on the command line: 90, 90s, 30m, 8h."""

from __future__ import annotations

import re

import typer

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(text: str | float) -> float:
    """Seconds. A bare number is in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", str(text).strip().lower())
    if match is None:
        raise typer.BadParameter(f'"{text}" is not a duration. Write 90s, 30m, 8h or 2d.')
    return float(match[1]) * _UNITS[match[2]]
