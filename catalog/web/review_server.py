"""Opens the review pages as a server on this machine."""

from __future__ import annotations

import contextlib
import html
import logging
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.app.catalog import Catalog
from catalog.app.lazy_module import LazyModule
from catalog.web.limits import ServerLimits
from catalog.web.review_app import error_body, review_app, review_limits
from catalog.web.review_desk import ReviewDesk
from catalog.web.server import WebServer, listen
from catalog.web.sessions import Sessions

if TYPE_CHECKING:
    from catalog.web import lan
else:
    lan = LazyModule("catalog.web.lan")

log = logging.getLogger(__name__)


class ReviewServer(WebServer):
    """Serves the pages of one catalogue on 127.0.0.1 and, where there is one, ::1."""

    def __init__(
        self, catalog: Catalog, *, host_name: str | None = None, port: int = 0, limits: ServerLimits | None = None
    ) -> None:
        """``host_name``: default a random name below localhost.

        Browsers send cookies to every port of a host. A name of its own keeps the cookie from other local servers.
        """
        limits = limits or review_limits()
        self._sessions = Sessions()
        listener = listen("127.0.0.1", port)
        bound = listener.getsockname()[1]
        name = host_name or f"r-{secrets.token_hex(4)}.localhost"
        self.host = f"{name}:{bound}"
        self._desk = ReviewDesk(catalog)
        app = review_app(
            catalog,
            self._sessions,
            host=self.host,
            desk=self._desk,
            limits=limits,
            is_ending=lambda: self.is_ending,
        )
        super().__init__(app, error_body, sockets=[listener, *_ipv6(bound)], limits=limits)

    @contextlib.contextmanager
    def warming_up(self) -> Iterator[None]:
        """Prepare the first page in another thread while the browser starts. The end of the block waits for it."""
        thread = threading.Thread(target=self._warm_up)
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def _warm_up(self) -> None:
        try:
            self._desk.warm_up()
        except Exception as error:  # noqa: BLE001  no caller waits for this thread, and the first page raises it again
            log.warning("The first page could not be prepared: %s", error)

    def address(self) -> str:
        """An address to open once, within 60 seconds. The token is in the fragment, which browsers do not send."""
        return f"http://{self.host}/enter#{self._sessions.new_token()}"


class LanReviewServer(WebServer):
    """Serves the pages of one catalogue to other devices of a network: by TLS, on one address, to allowed devices."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        address: str,
        approve: Callable[[str], bool],
        port: int = 0,
        limits: ServerLimits | None = None,
    ) -> None:
        """``approve`` is asked, in a thread, about each device that has opened an address. Raises OSError."""
        limits = limits or review_limits()
        self._sessions = Sessions(max_sessions=lan.MAX_DEVICES)
        listener = listen(address, port)
        name = f"[{address}]" if ":" in address else address
        self.host = f"{name}:{listener.getsockname()[1]}"
        identity = lan.new_identity(address)
        self.certificate_sha256 = identity.certificate_sha256
        app = review_app(
            catalog,
            self._sessions,
            host=self.host,
            limits=limits,
            is_ending=lambda: self.is_ending,
            approve=approve,
        )
        super().__init__(app, error_body, sockets=[listener], limits=limits, tls=identity.context)

    def address(self) -> str:
        """An address to open once, within two minutes."""
        return f"https://{self.host}/enter#{self._sessions.new_token(lan.TOKEN_SECONDS)}"


def _ipv6(port: int) -> list[socket.socket]:
    try:
        return [listen("::1", port)]
    except OSError:
        return []


@contextlib.contextmanager
def opening_file(address: str) -> Iterator[Path]:
    """A page, readable by its owner only, that leads to ``address``.

    A browser that is started with the address itself would show the token in the list of processes.
    """
    descriptor, name = tempfile.mkstemp(prefix="catalog-review-", suffix=".html")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            target = html.escape(address, quote=True)
            file.write(
                f'<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
                f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">Open the review</a>'
            )
        yield path
    finally:
        path.unlink(missing_ok=True)
