"""The review on another device of the network: address, a certificate for one run, and the address as a QR code."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name

MAX_DEVICES = 3
TOKEN_SECONDS = 120.0
"""Time in which a device must open the address of a code."""
_VALID = timedelta(days=1)
_UNROUTED = ("192.0.2.1", 9)
"""An address for documentation. A datagram socket that is connected to it sends nothing."""


@dataclass(frozen=True, slots=True)
class LanIdentity:
    """TLS context of the server, and the SHA-256 of its certificate as browsers show it."""

    context: ssl.SSLContext
    certificate_sha256: str


def lan_address(wanted: str | None) -> str:
    """The address of this machine to serve on; default: the one that the network's default route uses.

    Raises UsageError if it is no address, or if no network is found.
    """
    if wanted is None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(_UNROUTED)
            except OSError as error:
                raise UsageError(
                    f"No network was found: {error.strerror}.",
                    remedy="Name the address of this machine: --lan-address.",
                ) from error
            wanted = str(probe.getsockname()[0])
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError as error:
        raise UsageError(f'"{display_name(wanted)}" is not an IP address.') from error
    if address.is_unspecified or address.is_multicast:
        raise UsageError(f"{address} is not the address of one network interface.")
    return str(address)


def new_identity(address: str) -> LanIdentity:
    """A new key and a certificate for ``address`` signed by that key itself, for TLS 1.3.

    Key and certificate are in a file, readable by its owner only, while they are loaded, and nowhere afterwards.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "catalog review")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    descriptor, path = tempfile.mkstemp(prefix="catalog-review-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        context.load_cert_chain(path)
    finally:
        Path(path).unlink()
    return LanIdentity(context, certificate.fingerprint(hashes.SHA256()).hex(":").upper())


def qr_code(address: str) -> str:
    """The address as a QR code of block characters, for a terminal."""
    out = StringIO()
    segno.make(address, error="l").terminal(out=out, compact=True)
    return out.getvalue()
