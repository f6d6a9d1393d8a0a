"""A review server on a catalogue of portraits, and clients of it: raw HTTP and Chromium."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@dataclass
class ReviewClient:
    """A signed-in client without a browser. ``request`` sends what a page of the server would send."""

    host: str
    cookie: str = ""
    page_key: str = ""
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
                "origin": f"http://{self.host}",
                "content-type": "application/json",
                "x-review": self.page_key or None,
            }
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
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


@contextlib.contextmanager
def chromium(**options: Any) -> Iterator[Any]:
    """A browser context of the system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", *options.pop("arguments", [])]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser.new_context(**options)
        browser.close()
