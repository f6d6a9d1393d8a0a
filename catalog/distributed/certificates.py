"""Certificates for the connections of a cluster: an authority, and one certificate each for scheduler, worker, client.

Dask accepts every certificate that the authority signed, for every role. Any of them allows to run programs on all
machines of the cluster, so that the keys are files that only their owner reads.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from catalog.domain.errors import UsageError

ROLES = ("scheduler", "worker", "client")
AUTHORITY = "ca"
_CLOCK_TOLERANCE = timedelta(days=1)
"""Certificates are valid from yesterday on, because the clocks of the machines differ."""


def make_certificates(folder: Path, *, hosts: Sequence[str] = (), days: int = 3650) -> None:
    """Write the authority and the certificates into a folder, which is created. Raises UsageError.

    ``hosts`` are names and addresses of the scheduler, written into its certificate. Dask itself does not compare
    them. A folder that holds certificates is refused.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.glob("*.pem")):
            raise UsageError(f'The folder "{folder}" holds certificates already.', remedy="Choose another folder.")
        folder.chmod(0o700)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _certificate(AUTHORITY, authority_key, None, authority_key, (), days)
        _write(folder, AUTHORITY, authority, authority_key)
        for role in ROLES:
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = _certificate(role, key, authority, authority_key, hosts if role == "scheduler" else (), days)
            _write(folder, role, certificate, key)
    except OSError as error:
        raise UsageError(f'The certificates cannot be written to "{folder}": {error.strerror}.') from error


def _certificate(
    role: str,
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate | None,
    authority_key: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str],
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"catalog cluster {role}")])
    now = datetime.now(UTC)
    is_authority = authority is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if authority is None else authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_TOLERANCE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if not is_authority:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(folder: Path, role: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    _write_private(folder / f"{role}.pem", certificate.public_bytes(serialization.Encoding.PEM))
    _write_private(
        folder / f"{role}-key.pem",
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def _write_private(file: Path, data: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
