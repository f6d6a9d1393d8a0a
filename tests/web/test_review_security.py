"""Only the signed-in browser gets data from the review server, and no other page can act for it."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
import time

import pytest

from catalog.web.review_guard import SECURITY_HEADERS
from catalog.web.review_server import opening_file
from tests.web.browser import ReviewClient, chromium, needs_chromium

PATHS = ["/", "/review", "/api/status", "/api/questions", "/api/names?q=an", "/crops/x/192", f"/images/{'0' * 64}/1280"]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_served_without_a_session(review, path):
    """No page, no JSON, no image."""
    stranger = ReviewClient(review.host)
    status, _, body = stranger.request("GET", path)
    assert status == 401
    assert b"faces" not in body


@pytest.mark.parametrize("path", [*PATHS, "/enter", "/static/review.js"])
@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1", "localhost", "r-00000000.localhost:1", ""])
def test_other_hosts_are_refused_without_a_body(client, path, host):
    """DNS rebinding: the browser sends the name of the attacker as Host, with the cookie at best."""
    status, _, body = client.request("GET", path, host=host)
    assert (status, body) == (421, b"")


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", None, "https://{host}", "http://{host}.evil"])
def test_changes_need_the_own_origin(client, library, origin):
    """A form or fetch of another page cannot answer, even with the cookie and the page key."""
    value = origin.format(host=client.host) if origin else None
    status, _, _ = client.request("POST", "/api/undo", {"key": "k"}, origin=value)
    assert status == 403
    assert library.decisions.history() == ()


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_fetches_of_other_pages_are_refused(client, site):
    """Images, frames and fetches of other pages carry Sec-Fetch-Site."""
    status, _, _ = client.request("GET", "/api/status", sec_fetch_site=site, sec_fetch_mode="no-cors")
    assert status == 403


def test_the_address_bar_may_open_a_page(client):
    """A bookmark or a reload is a navigation without a site."""
    status, _, _ = client.request("GET", "/", sec_fetch_site="none", sec_fetch_mode="navigate")
    assert status == 200


@pytest.mark.parametrize("key", [None, "", "x" * 43])
def test_changes_need_the_key_of_the_page(client, library, key):
    """The cookie alone is not enough."""
    status, _, _ = client.request("POST", "/api/undo", {"key": "k"}, x_review=key)
    assert status == 403
    assert library.decisions.history() == ()


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_refused_without_cors(client, method):
    """No preflight is answered."""
    status, headers, _ = client.request(method, "/api/answers", origin="http://attacker.example")
    assert status in {403, 405}
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/enter", "/api/status", "/static/review.js", "/nothing", "/crops/x/192"])
def test_every_response_has_the_security_headers(client, path):
    """Refusals too."""
    for changes in ({}, {"host": "attacker.example"}, {"cookie": ""}):
        _, headers, _ = client.request("GET", path, **changes)
        assert {name: headers.get(name.lower()) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_an_address_can_be_used_once(review):
    """A stolen or repeated address is refused, with the remedy."""
    address = review.address()
    assert ReviewClient(review.host).sign_in(address) == 200
    late = ReviewClient(review.host)
    status, _, body = late.request("POST", "/session", {"token": address.partition("#")[2]})
    assert status == 403
    assert json.loads(body)["message"] == "This address was used already. Run catalog review again."


def test_guessing_the_token_ends_the_sign_in(review):
    """After 20 wrong tokens the right one is refused."""
    client = ReviewClient(review.host)
    for number in range(20):
        assert client.request("POST", "/session", {"token": f"guess {number}"})[0] == 403
    assert client.sign_in(review.address()) == 403


def test_the_cookie_is_for_this_host_and_not_for_scripts(review):
    """HttpOnly, SameSite=Strict, no domain."""
    token = review.address().partition("#")[2]
    _, headers, _ = ReviewClient(review.host).request("POST", "/session", {"token": token})
    attributes = {part.strip().lower() for part in headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert not [attribute for attribute in attributes if attribute.startswith("domain")]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"\xff\xfe", 422),
        (b"[" * 50_000, 422),
        (b'{"key": NaN}', 422),
        (b'{"key": 5}', 422),
        (b'{"key": "k", "question": 7}', 422),
        (b'{"key": "k", "question": "group-unknown", "seen": 0, "answer": "name"}', 409),
        (b"x" * 100_000, 413),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else None,
)
def test_malformed_answers_are_refused(client, library, raw, status):
    """Nothing is written and the server goes on."""
    assert client.request("POST", "/api/answers", raw=raw)[0] == status
    assert library.decisions.history() == ()
    assert client.get("/api/status")["faces"] == 5


def test_a_slow_body_is_cut_off(client):
    """408 after the deadline for the body."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
        lines = ["POST /api/undo HTTP/1.1", f"Host: {client.host}", f"Origin: http://{client.host}"]
        lines += [f"Cookie: {client.cookie}", f"X-Review: {client.page_key}", "Content-Length: 1000", "", ""]
        connection.sendall("\r\n".join(lines).encode())
        started = time.monotonic()
        assert b" 408 " in connection.recv(1000)
        assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "path",
    [
        "/crops/unknown/192",
        "/crops/..%2f..%2fetc%2fpasswd/192",
        "/crops/x/193",
        f"/images/{'0' * 64}/1280",
        "/images/../../etc/passwd",
        "/static/../review_app.py",
        "/static/%2e%2e/review_app.py",
    ],
)
def test_unknown_images_and_files_are_not_found(client, path):
    """No path reaches a file outside, and no other size is made."""
    assert client.request("GET", path)[0] == 404


def test_the_opening_file_is_readable_by_its_owner_only():
    """And removed at the end."""
    with opening_file("http://r-1.localhost:1/enter#token") as path:
        assert path.stat().st_mode & 0o777 == 0o600
        assert "http://r-1.localhost:1/enter#token" in path.read_text()
    assert not path.exists()


@needs_chromium
def test_a_page_of_another_origin_can_do_nothing(review, library):
    """In Chromium, signed in: a form, fetches, an image and a frame of another local server."""
    with library_page() as (evil, served), chromium() as context:
        page = context.new_page()
        page.goto(review.address())
        page.wait_for_selector("#start")
        served["page"] = ATTACK.replace("TARGET", f"http://{review.host}")
        attacker = context.new_page()
        attacker.goto(evil)
        attacker.wait_for_function("window.finished")
        results = attacker.evaluate("window.results")
        attacker.wait_for_timeout(500)
        shown = [frame.evaluate("document.body ? document.body.innerText : ''") for frame in attacker.frames[1:]]
        assert not [text for text in shown if "named" in text or "faces" in text]
    assert results == {"simple": "blocked", "json": "blocked", "image": "error"}
    assert library.decisions.history() == ()
    assert all("catalog_review" not in cookie for cookie in served["cookies"])


ATTACK = """
<!doctype html><body><iframe src="TARGET/"></iframe>
<form id=f method=post action="TARGET/api/undo" target=sink><input name=key value=k></form><iframe name=sink></iframe>
<script>
window.results = {};
const tried = (name, promise) => promise.then(r => r.text())
  .then(t => results[name] = t, () => results[name] = "blocked");
const post = {method: "POST", credentials: "include", body: '{"key":"k"}'};
document.getElementById("f").submit();
const image = new Image();
const seen = new Promise(done => { image.onload = () => done("shown"); image.onerror = () => done("error"); });
image.src = "TARGET/static/icon.svg";
Promise.all([
  tried("simple", fetch("TARGET/api/undo", post)),
  tried("json", fetch("TARGET/api/undo", {...post, headers: {"Content-Type": "application/json"}})),
  seen.then(value => results.image = value),
]).then(() => window.finished = true);
</script>
"""


class library_page:  # noqa: N801 - a context manager
    """Another local server, which records the cookies that it gets."""

    def __enter__(self):
        served = {"page": "", "cookies": []}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                served["cookies"].append(self.headers.get("Cookie", ""))
                body = served["page"].encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://x.localhost:{self.server.server_port}/", served

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@needs_chromium
def test_a_rebound_name_is_refused(review):
    """A name of an attacker that resolves to this machine gets 421 on every path."""
    from playwright.sync_api import Error

    rules = "--host-resolver-rules=MAP rebound.example 127.0.0.1"
    with chromium(arguments=[rules]) as context:
        page, statuses = context.new_page(), []
        page.on("response", lambda response: statuses.append(response.status))
        for path in ("/", "/enter", "/api/status", "/static/review.js"):
            with contextlib.suppress(Error):  # Chromium shows an error page for a response without a body
                page.goto(f"http://rebound.example:{review.port}{path}")
    assert set(statuses) == {421}
