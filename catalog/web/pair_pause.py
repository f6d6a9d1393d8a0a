"""Pair questions come last for ten cards after five of them in a row were answered with "No" or "Not sure".

Where the program guesses badly, other cards name more faces. Both numbers are not measured.
"""

from __future__ import annotations

REFUSALS = 5
CARDS = 10


class PairPause:
    """Counts the answers of all browsers of one server. Answers to other cards do not interrupt the row."""

    def __init__(self) -> None:
        self._refusals = 0
        self._cards_left = 0

    @property
    def is_on(self) -> bool:
        return self._cards_left > 0

    def add(self, kind: str, answer: str) -> None:
        """Count the answer to a card of a kind."""
        if self._cards_left:
            self._cards_left -= 1
        elif kind == "pair":
            self._refusals = self._refusals + 1 if answer in ("no", "not_sure") else 0
            if self._refusals == REFUSALS:
                self._refusals, self._cards_left = 0, CARDS
