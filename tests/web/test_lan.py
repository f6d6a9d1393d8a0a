"""The review on another device: TLS, one device at a time, asked for at the computer, and no original file."""

from __future__ import annotations

import hashlib
import socket
import ssl

import pytest

from catalog.domain.errors import UsageError
from catalog.web.device_name import device_name
from catalog.web.lan import MAX_DEVICES, lan_address, new_identity, qr_code
from catalog.web.review_server import LanReviewServer
from tests.web.browser import ReviewClient, fresh_key

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"


class Door:
    """Answers the question about a device, and records it."""

    def __init__(self):
        self.devices = []
        self.opens = True

    def approve(self, device):
        self.devices.append(device)
        return self.opens


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def lan(library, door):
    """A server of the network, on the loopback address."""
    server = LanReviewServer(library, address="127.0.0.1", approve=door.approve)
    with server.in_background():
        yield server


def client_of(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return ReviewClient(server.host, tls=context)


def test_a_device_signs_in_when_the_computer_allows_it(lan, door, library):
    """Once, by TLS 1.3; its answers are decisions as all others."""
    address = lan.address()
    client = client_of(lan)
    assert address.startswith(f"https://{lan.host}/enter#")
    assert client.sign_in(address) == 200
    assert len(door.devices) == 1
    assert client_of(lan).sign_in(address) == 403
    card = client.get("/api/questions")["questions"][0]
    body = {"key": fresh_key(), "question": card["id"], "seen": card["seen"], "answer": "name", "name": {"new": "Ann"}}
    assert client.post("/api/answers", body)[0] == 200
    assert library.person("Ann").faces == 3


def test_a_device_that_is_not_allowed_gets_nothing(lan, door):
    """Its token is used up, and its cookie is none."""
    door.opens = False
    client = client_of(lan)
    assert client.sign_in(lan.address()) == 403
    assert client.request("GET", "/api/status")[0] == 401


def test_the_question_names_the_device(lan, door):
    """The kind that the browser states, and the address."""
    token = lan.address().partition("#")[2]
    client_of(lan).request("POST", "/session", {"token": token}, user_agent=PHONE)
    assert door.devices == ["iPhone, 127.0.0.1"]
    assert device_name("\x1b[2J", "10.0.0.2") == "unknown device, 10.0.0.2"


def test_only_three_devices_at_a_time(lan):
    """A fourth is refused."""
    results = [client_of(lan).sign_in(lan.address()) for _ in range(MAX_DEVICES + 1)]
    assert results == [200] * MAX_DEVICES + [403]


def test_the_cookie_is_for_tls_only_and_other_origins_are_refused(lan):
    """The origin of a change is https."""
    token = lan.address().partition("#")[2]
    client = client_of(lan)
    _, headers, _ = client.request("POST", "/session", {"token": token})
    assert "secure" in headers["set-cookie"].lower().replace(" ", "").split(";")
    assert client.request("POST", "/session", {"token": "x"}, origin=f"http://{lan.host}")[0] == 403


def test_original_files_are_not_served_to_other_devices(lan, library):
    """Photos are, at reduced size."""
    client = client_of(lan)
    client.sign_in(lan.address())
    sha256 = library.faces(library.people()[0].person_id)[0].sha256
    assert client.request("GET", f"/originals/{sha256}")[0] == 404
    assert b"/originals/" not in client.request("GET", f"/photos/{sha256}")[2]
    assert client.request("GET", f"/images/{sha256}/1280")[0] == 200


def test_plain_http_and_old_tls_get_no_answer(lan):
    """The connection ends without a byte of a page."""
    with socket.create_connection(("127.0.0.1", lan.port), timeout=10) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {lan.host}\r\n\r\n".encode())
        assert b"HTTP" not in connection.recv(1000)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", lan.port), timeout=10) as connection, pytest.raises(ssl.SSLError):
        context.wrap_socket(connection)


def test_the_shown_digest_is_that_of_the_certificate(lan):
    """As browsers show it; every run has another key."""
    certificate = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", lan.port)))
    digest = hashlib.sha256(certificate).hexdigest().upper()
    assert lan.certificate_sha256.replace(":", "") == digest
    assert new_identity("127.0.0.1").certificate_sha256 != lan.certificate_sha256


def test_a_code_is_made_of_blocks():
    """A square for a terminal; another address is another code."""
    lines = qr_code("https://192.168.1.5:4711/enter#" + "x" * 43).splitlines()
    assert len(lines) > 15
    assert qr_code("https://192.168.1.5:4711/enter#a") != qr_code("https://192.168.1.5:4711/enter#b")


@pytest.mark.parametrize("wanted", ["0.0.0.0", "::", "224.0.0.1", "example.org", ""])
def test_one_address_of_this_machine_is_needed(wanted):
    """Not all interfaces, and no name."""
    with pytest.raises(UsageError):
        lan_address(wanted)
