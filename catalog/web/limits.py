"""Limits of the HTTP server."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The resources that clients may use.

    ``body``: bytes of one request body. ``memory``: bytes that the bodies of all requests in progress may need,
    separately for bodies of at most 1 MiB and for larger ones. ``connections``: open connections. ``requests``:
    requests processed at the same time. ``head_seconds``: from the first byte of a request to the end of its headers.
    ``body_seconds``: from the first read of the body to its last byte. ``idle_seconds``: between two requests of one
    connection, and before the first.
    """

    body: int = 32 * MEBIBYTE
    memory: int = 160 * MEBIBYTE
    connections: int = 256
    requests: int = 256
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 60.0
