"""The contract of the call log: paid calls are written down before they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from catalog.domain.charges import Charge


class CallLog(Protocol):
    """Holds an intent for each paid call whose charge is not recorded yet. May be used from several threads.

    Recording a charge closes the intents that it names. After a kill the open intents are the calls that may have been
    billed without a charge.
    """

    def begin(self, charge: Charge, sha256: str = "") -> int:
        """Write an intent for one call and return its id. It survives a kill when this returns.

        ``charge`` is the price of the call now. ``sha256`` is the content hash of a photo to be enrolled.
        """

    def discard(self, intent: int) -> None:
        """Delete the intent of a call that was not billed. May be written later than this returns."""

    def record_empty_answer(self, intent: int, answer: str) -> None:
        """Keep the answer to a call that enrolled no face. It survives a kill when this returns.

        The gallery does not show later that the photo was enrolled. ``answer`` is a small text of the engine.
        """

    def unanswered(self) -> frozenset[str]:
        """Content hashes of the open intents that existed before this log was opened."""

    def empty_answers(self) -> Mapping[str, str]:
        """Answers to calls that enrolled no face, by content hash, of the same intents."""

    def wait_for_service(self) -> None:
        """Wait until the service has answered the calls that a killed command sent just before its end."""

    def close(self) -> None:
        """Write what :meth:`discard` left."""
