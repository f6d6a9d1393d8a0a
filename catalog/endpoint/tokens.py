"""Tokens that clients send back: page tokens of lists, and client request tokens of repeated requests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import OrderedDict
from collections.abc import Callable

from catalog.endpoint import errors
from catalog.endpoint.protocol import Call, Members

_MAX_RESPONSES = 10_000


def page_token(listing: str, *position: str | int) -> str:
    """A token for the page after ``position``. ``listing`` names the operation and the collection."""
    payload = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_checksum(listing, payload) + payload).decode()


def read_page_token(listing: str, token: str) -> list[str | int]:
    """The position in a token of this listing. Raises WireError for any other token."""
    try:
        decoded = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        raise errors.pagination_token() from None
    checksum, payload = decoded[:_CHECKSUM_BYTES], decoded[_CHECKSUM_BYTES:]
    if not hmac.compare_digest(checksum, _checksum(listing, payload)):
        raise errors.pagination_token()
    position: list[str | int] = json.loads(payload)
    return position


_CHECKSUM_BYTES = 9


def _checksum(listing: str, payload: bytes) -> bytes:
    """Not secret: detects tokens of other lists and other servers. Tokens stay valid after a restart."""
    return hashlib.sha256(f"catalog/{listing}/".encode() + payload).digest()[:_CHECKSUM_BYTES]


class RepeatedRequests:
    """Keeps the responses to the last 10,000 requests that had a ClientRequestToken.

    Amazon does not document the lifetime of a token. Here it is the lifetime of the server.
    """

    def __init__(self) -> None:
        self._responses: OrderedDict[tuple[str, str, str], tuple[str, Members]] = OrderedDict()
        self._lock = threading.Lock()

    def once(self, call: Call, act: Callable[[], Members]) -> Members:
        """Call ``act``, or return the response of an equal earlier request.

        Raises WireError if the token was used for a different request.
        """
        token = call.members.get("ClientRequestToken")
        if token is None:
            return act()
        key = (call.operation, f"{call.region}/{call.account}/{call.members['CollectionId']}", token)
        request = json.dumps({**call.members, "ClientRequestToken": None}, sort_keys=True)
        with self._lock:
            if key in self._responses:
                first_request, response = self._responses[key]
                if first_request != request:
                    raise errors.token_in_use(token)
                return response
            response = act()
            self._responses[key] = (request, response)
            if len(self._responses) > _MAX_RESPONSES:
                self._responses.popitem(last=False)
            return response
