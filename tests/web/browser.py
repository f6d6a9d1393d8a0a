"""A review server on a catalogue of portraits, and clients of it: raw HTTP and Chromium."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import ssl
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NAVIGATION = 120_000
"""Milliseconds that Chromium may take to load a page on a busy machine."""
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def fresh_key() -> str:
    """An idempotency key that was not used before."""
    return str(uuid.uuid4())


@dataclass
class ReviewClient:
    """A signed-in client without a browser. ``request`` sends what a page of the server would send."""

    host: str
    cookie: str = ""
    page_key: str = ""
    tls: ssl.SSLContext | None = None
    changes: dict[str, str | None] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.host.rpartition(":")[2])

    def sign_in(self, address: str) -> int:
        """Exchange the token of an opened address. Returns the status of the exchange."""
        token = address.partition("#")[2]
        status, headers, _ = self.request("POST", "/session", {"token": token})
        if status == 200:
            self.cookie = headers["set-cookie"].partition(";")[0]
            body = self.request("GET", "/review")[2].decode()
            self.page_key = body.partition('name="review-key" content="')[2].partition('"')[0]
        return status

    def request(
        self, method: str, path: str, body: object = None, *, raw: bytes | None = None, **changes: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        """``changes`` replace headers, underscores meaning hyphens; None removes a header."""
        headers: dict[str, str | None] = {"host": self.host, "cookie": self.cookie or None}
        if method == "POST":
            headers |= {
                "origin": f"http{'s' if self.tls else ''}://{self.host}",
                "content-type": "application/json",
                "x-review": self.page_key or None,
            }
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        if self.tls is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.tls)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(data)))
            connection.endheaders(data)
            response = connection.getresponse()
            answer = {name.lower(): value for name, value in response.getheaders()}
            return response.status, answer, response.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, _, body = self.request("GET", path)
        assert status == 200, body
        return json.loads(body)

    def post(self, path: str, body: object) -> tuple[int, Any]:
        status, _, answer = self.request("POST", path, body)
        return status, json.loads(answer)


class SharedChromium:
    """The system's Chromium, started once for the tests of a module. Each test has a context of its own.

    Playwright keeps an event loop in this thread as long as it runs, so that it ends with the module.
    """

    def __init__(self) -> None:
        self._playwright: Any = None
        self._browser: Any = None

    @contextlib.contextmanager
    def context(self, arguments: Sequence[str], **options: Any) -> Iterator[Any]:
        """A browser context; with ``arguments`` of the command line, in a browser of its own."""
        if self._playwright is None:
            from playwright.sync_api import sync_playwright

            self._playwright = sync_playwright().start()
        if arguments:
            browser = self._launch(arguments)
        else:
            browser = self._browser = self._browser or self._launch()
        context = browser.new_context(**options)
        context.set_default_navigation_timeout(NAVIGATION)
        try:
            yield context
        finally:
            context.close()
            if arguments:
                browser.close()

    def _launch(self, arguments: Sequence[str] = ()) -> Any:
        # Without a graphics card, Chromium would compute one, which takes an eighth more processor time.
        options = ["--no-sandbox", "--disable-gpu", *arguments]
        return self._playwright.chromium.launch(executable_path=CHROMIUM, args=options)

    def close(self) -> None:
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()
        self._playwright = self._browser = None


SHARED_CHROMIUM = SharedChromium()


def chromium(arguments: Sequence[str] = (), **options: Any) -> contextlib.AbstractContextManager[Any]:
    """A context of the shared browser; with ``arguments``, of a browser that is started with them."""
    return SHARED_CHROMIUM.context(arguments, **options)


def signed_in(review, context) -> Any:
    """A page of the review, whose errors and foreign requests fail the test."""
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: problems.append(request.url) if foreign(request.url, review) else None)
    page.goto(review.address())
    page.wait_for_selector("h1")
    page.wait_for_url("**/")
    page.problems = problems
    return page


def foreign(url: str, review) -> bool:
    return not url.startswith((f"http://{review.host}/", f"blob:http://{review.host}/"))
