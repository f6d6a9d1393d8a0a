"""Answers requests: request bytes in, response bytes out. Independent of any server."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from catalog.endpoint import errors, protocol, signature
from catalog.endpoint.errors import WireError
from catalog.endpoint.fair_semaphore import FairSemaphore
from catalog.endpoint.fault_injection import FaultPlan, Faults
from catalog.endpoint.protocol import Call, Members, WireResponse
from catalog.endpoint.signature import Key
from catalog.endpoint.tally import Tally

Handler = Callable[[Call], Members]
"""Performs one operation: takes a validated call, returns the members of the response. Raises WireError."""

log = logging.getLogger(__name__)

_SMALL_BODY = 64 * 1024
"""Bytes of a body that is parsed in less than a millisecond."""


class Service:
    """Parses requests, calls the operation's handler and serializes responses.

    The server applies ``faults`` and counts each response in the tally.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        faults: Faults | None = None,
        keys: Mapping[str, Key] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``keys``: key by access key id. If it is empty, signatures are parsed but not verified."""
        self._handlers = dict(handlers)
        self.faults = faults or Faults(FaultPlan())
        self._keys = dict(keys or {})
        self._now = now
        self._tally = Tally()
        self._parsing = FairSemaphore(1)

    @property
    def tally(self) -> Counter[tuple[str, str]]:
        """Number of responses so far, by operation and error code (empty: success)."""
        return self._tally.calls()

    def tally_lines(self) -> list[str]:
        """The tally as a table for people."""
        return self._tally.lines()

    def count(self, operation: str, error: str) -> None:
        """Count one response."""
        self._tally.count(operation, error)

    def check_head(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Raise the WireError that :meth:`answer` would give for any body. ``headers`` have lower-case names."""
        protocol.operation_of(method, path, headers)
        signature.check_head(headers, self._keys, self._now())

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes, request_id: str) -> WireResponse:
        """``headers`` have lower-case names. Raises ConnectionDropped if a handler raises it."""
        operation = ""
        try:
            model = protocol.operation_of(method, path, headers)
            operation = model.name
            with self._parser(body):
                caller = signature.identify(headers, body, self._keys, self._now())
                call = Call(operation, protocol.members_of(model, body), caller.region, caller.account)
            return protocol.success(model, self._handlers[operation](call))
        except WireError as error:
            return protocol.failure(error, request_id)
        except errors.ConnectionDropped:
            raise
        except Exception:  # a bug must not end the server, and its details must not reach the client
            log.exception("Request %s of %s failed.", request_id, operation or "an unknown operation")
            return protocol.failure(errors.internal_error(), request_id)

    def _parser(self, body: bytes) -> contextlib.AbstractContextManager[None]:
        """A turn to parse a body. Large bodies are parsed one by one, in the order of their arrival.

        Parsing holds Python's global lock: several at once are not faster, and dozens delay every other thread.
        """
        return contextlib.nullcontext() if len(body) <= _SMALL_BODY else self._parsing
