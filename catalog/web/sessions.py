"""Sessions of the review pages: a one-time token in the opened address, exchanged for a cookie."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

TOKEN_SECONDS = 60.0
IDLE_SECONDS = 30 * 60.0
LONGEST_SECONDS = 12 * 3600.0
MAX_WRONG_TOKENS = 20
_BYTES = 32


@dataclass(slots=True)
class Session:
    """One signed-in browser. ``page_key`` is sent back by its pages with every change. Times are of the clock."""

    page_key: str
    started: float
    used: float


class Sessions:
    """Issues tokens and sessions. Tokens and cookies are kept as hashes only. Several threads may call it."""

    def __init__(self, *, max_sessions: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """``max_sessions``: number of sessions at the same time; None: any number."""
        self._clock = clock
        self._max_sessions = max_sessions
        self._lock = threading.Lock()
        self._tokens: dict[str, float] = {}
        self._sessions: dict[str, Session] = {}
        self._wrong_tokens = 0

    def new_token(self, seconds: float = TOKEN_SECONDS) -> str:
        """A token that can be exchanged once, within so many seconds."""
        token = secrets.token_urlsafe(_BYTES)
        with self._lock:
            self._tokens[_hash(token)] = self._clock() + seconds
        return token

    def exchange(self, token: str) -> str | None:
        """The cookie of a new session; None for a token that is unknown, used or expired, or if there is no room.

        After 20 wrong tokens no token is accepted any more.
        """
        with self._lock:
            now = self._clock()
            expires = self._tokens.pop(_hash(token), None) if self._wrong_tokens < MAX_WRONG_TOKENS else None
            if expires is None or expires < now:
                self._wrong_tokens += 1
                return None
            if (
                self._max_sessions is not None
                and sum(map(self._is_open, self._sessions.values())) >= self._max_sessions
            ):
                return None
            cookie = secrets.token_urlsafe(_BYTES)
            self._sessions[_hash(cookie)] = Session(secrets.token_urlsafe(_BYTES), now, now)
            return cookie

    def end(self, cookie: str) -> None:
        """End a session. An unknown cookie is ignored."""
        with self._lock:
            self._sessions.pop(_hash(cookie), None)

    def find(self, cookie: str, *, is_use: bool = True) -> Session | None:
        """The session of a cookie; None if there is none or it has ended. With ``is_use`` it counts as used now."""
        with self._lock:
            key = _hash(cookie)
            session = self._sessions.get(key)
            if session is None:
                return None
            if not self._is_open(session):
                del self._sessions[key]
                return None
            if is_use:
                session.used = self._clock()
            return session

    def _is_open(self, session: Session) -> bool:
        now = self._clock()
        return now - session.used <= IDLE_SECONDS and now - session.started <= LONGEST_SECONDS


def is_page_key(session: Session, value: str) -> bool:
    return hmac.compare_digest(session.page_key.encode(), value.encode())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
