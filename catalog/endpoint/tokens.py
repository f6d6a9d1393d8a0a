"""The two kinds of token that clients hand back: where a list goes on, and which request is a repetition."""

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

_REMEMBERED = 10_000


def page_token(listing: str, *position: str | int) -> str:
    """An opaque token for going on behind ``position`` in the list called ``listing`` (operation and collection)."""
    payload = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(listing, payload) + payload).decode()


def read_page_token(listing: str, token: str) -> list[str | int]:
    """The position in a token of this very list. Raises WireError."""
    try:
        sealed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError:
        raise errors.pagination_token() from None
    seal, payload = sealed[:_SEAL], sealed[_SEAL:]
    if not hmac.compare_digest(seal, _seal(listing, payload)):
        raise errors.pagination_token()
    position: list[str | int] = json.loads(payload)
    return position


_SEAL = 9


def _seal(listing: str, payload: bytes) -> bytes:
    """Not a secret, only a check that a token is ours and of this list; so that tokens outlive a restart."""
    return hashlib.sha256(f"catalog/{listing}/".encode() + payload).digest()[:_SEAL]


class RepeatedRequests:
    """Remembers the answers to requests with a ClientRequestToken, the last ten thousand of them.

    Amazon does not say how long a token lives; here it is until the server ends.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str, str], tuple[str, Members]] = OrderedDict()
        self._lock = threading.Lock()

    def once(self, call: Call, act: Callable[[], Members]) -> Members:
        """Act, or give the answer of the same request again. Raises WireError when the token served for another."""
        token = call.members.get("ClientRequestToken")
        if token is None:
            return act()
        key = (call.operation, call.members["CollectionId"], token)
        asked = json.dumps({**call.members, "ClientRequestToken": None}, sort_keys=True)
        with self._lock:
            if key in self._answers:
                before, answer = self._answers[key]
                if before != asked:
                    raise errors.token_in_use(token)
                return answer
            answer = act()
            self._answers[key] = (asked, answer)
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
            return answer
