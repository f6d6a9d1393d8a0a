"""Content is known by its SHA-256."""

from __future__ import annotations

from io import BytesIO

from catalog.domain.content_hash import sha256_of, sha256_of_stream


def test_the_digest_is_that_of_fips_180() -> None:
    """The published value for 'abc'."""
    assert sha256_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_stream_has_the_digest_of_its_bytes() -> None:
    """However long it is."""
    data = b"0123456789" * 300_000
    assert sha256_of_stream(BytesIO(data)) == sha256_of(data)
