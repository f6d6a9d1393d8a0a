"""Middleware of the review pages: only the signed-in browser gets data, and no other page can act for it."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.web.sessions import Sessions, is_page_key

COOKIE = "catalog_review"
PAGE_KEY_HEADER = "x-review"
EVENTS_PATH = "/api/events"
_OPEN_PATHS = ("/enter", "/session")
_STATIC = "/static/"

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class GuardReview:
    """Checks host, origin, method and session of every request, and adds the security headers to every response."""

    def __init__(self, app: ASGIApp, *, host: str, sessions: Sessions, scheme: str = "http") -> None:
        """``host``: the one name and port under which the pages are served, by ``scheme``."""
        self._app = app
        self._host = host
        self._origin = f"{scheme}://{host}"
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        refused = self._refusal(scope, Headers(scope=scope))
        await (refused or self._app)(scope, receive, send_secured)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        path, method = scope["path"], scope["method"]
        if headers.getlist("host") != [self._host]:
            return Response(status_code=421)
        if method not in {"GET", "HEAD", "POST"}:
            return Response(status_code=405, headers={"Allow": "GET, HEAD, POST"})
        if not _is_own_fetch(headers) and path != "/enter":
            return Response(status_code=403)
        if method == "POST" and headers.get("origin") != self._origin:
            return Response(status_code=403)
        if path in _OPEN_PATHS or path.startswith(_STATIC):
            return None
        cookie = _cookie(headers)
        # A stream that a page opens by itself is no use: a forgotten window must not keep its session.
        session = self._sessions.find(cookie, is_use=path != EVENTS_PATH)
        if session is None:
            return _signed_out(path)
        if method == "POST" and not is_page_key(session, headers.get(PAGE_KEY_HEADER, "")):
            return Response(status_code=403)
        state = scope.setdefault("state", {})
        state["page_key"] = session.page_key
        state["is_open"] = lambda: self._sessions.find(cookie, is_use=False) is not None
        return None


def _is_own_fetch(headers: Headers) -> bool:
    """True if the request comes from one of the pages, from the address bar, or from a program."""
    site = headers.get("sec-fetch-site")
    return site in {None, "same-origin"} or (site == "none" and headers.get("sec-fetch-mode") == "navigate")


def _cookie(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


def _signed_out(path: str) -> Response:
    message = "Signed out after 30 minutes without use. Run catalog review again."
    if path.startswith("/api/"):
        return JSONResponse({"error": "signed_out", "message": message}, 401)
    return Response(message, 401, media_type="text/plain")
