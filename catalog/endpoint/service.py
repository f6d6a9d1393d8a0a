"""Answers requests: request bytes in, response bytes out. Independent of any server."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from catalog.endpoint import errors, protocol, signature
from catalog.endpoint.errors import WireError
from catalog.endpoint.fault_injection import FaultPlan, Faults
from catalog.endpoint.protocol import Call, Members, WireResponse

Handler = Callable[[Call], Members]
"""Performs one operation: takes a validated call, returns the members of the response. Raises WireError."""

log = logging.getLogger(__name__)


class Service:
    """Parses requests, calls the operation's handler and serializes responses. Raises ConnectionDropped only."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        faults: Faults | None = None,
        keys: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``keys``: secret by access key id. If it is empty, signatures are parsed but not verified."""
        self._handlers = handlers
        self._faults = faults or Faults(FaultPlan())
        self._keys = dict(keys or {})
        self._now = now
        self._lock = threading.Lock()
        self._tally: Counter[tuple[str, str]] = Counter()

    @property
    def tally(self) -> Counter[tuple[str, str]]:
        """Number of calls so far, by operation and error code (empty: success)."""
        with self._lock:
            return Counter(self._tally)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes, request_id: str) -> WireResponse:
        """``headers`` have lower-case names. Raises ConnectionDropped if an injected fault resets the connection."""
        operation = ""
        try:
            model = protocol.operation_of(method, path, headers)
            operation = model.name
            region = signature.identify(headers, body, self._keys, self._now())
            after = self._faults.before(operation)
            call = Call(operation, protocol.members_of(model, body), region)
            response = protocol.success(model, self._handlers[operation](call))
            after()
        except WireError as error:
            response = protocol.failure(error, request_id)
        except errors.ConnectionDropped:
            self._count(operation, "ConnectionDropped")
            raise
        except Exception:  # a bug must not end the server, and its details must not reach the client
            log.exception("Request %s of %s failed.", request_id, operation or "an unknown operation")
            response = protocol.failure(errors.internal_error(), request_id)
        self._count(operation, response.error)
        return response

    def _count(self, operation: str, error: str) -> None:
        with self._lock:
            self._tally[operation, error] += 1
