"""Middleware against requests from web pages: an allow-list of hosts, and a check of the origin.

DNS rebinding maps a name of an attacker to this machine. A page of that name then reaches the server as its own
origin. The browser sends the name as Host, so names that were not allowed are refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from catalog.web.receipt import Refusal


class RefuseForeignPages:
    """Serves requests to allowed hosts that no web page of another origin has caused."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], refusal: Refusal) -> None:
        """``hosts``: names without port, lower-case. IP addresses and localhost are always allowed."""
        self._app = app
        self._hosts = frozenset(hosts) | {"localhost"}
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            host = headers.get("host", "")
            if not self._is_allowed(host):
                message = f'The host "{host[:100]}" is not allowed. Name it with --allow-host.'
                await self._refusal(421, message)(scope, receive, send)
                return
            if "origin" in headers or headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
                await self._refusal(403, "Requests from web pages are not served.")(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_allowed(self, host: str) -> bool:
        name = host_name(host)
        return name in self._hosts or is_address(name)


def host_name(host: str) -> str:
    """The name of a Host header without its port, lower-case; empty if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_address(name: str) -> bool:
    """True for an IP address. A page cannot be rebound to it: an address is not looked up."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
