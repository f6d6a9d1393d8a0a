"""Bounds of a numeric setting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends are allowed."""

    low: float
    high: float
