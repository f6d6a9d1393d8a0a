"""Which addresses of clusters are accepted."""

from __future__ import annotations

import pytest

from catalog.distributed.cluster_address import LocalWorkers, SchedulerAddress, parse_cluster_address
from catalog.domain.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("local:4", LocalWorkers(4)),
        ("tls://head.example:8786", SchedulerAddress("tls", "head.example", 8786)),
        ("tls://[fe80::1]:1", SchedulerAddress("tls", "[fe80::1]", 1)),
        ("tcp://127.0.0.1:8786", SchedulerAddress("tcp", "127.0.0.1", 8786)),
        ("tcp://localhost:8786", SchedulerAddress("tcp", "localhost", 8786)),
        ("tcp://[::1]:8786", SchedulerAddress("tcp", "[::1]", 8786)),
    ],
)
def test_addresses(text, expected):
    assert parse_cluster_address(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "local:0",
        "local:",
        "local:x",
        "head:8786",
        "http://head:80",
        "tls://head",
        "tls://head:70000",
        "tls://a@b:1",
    ],
)
def test_other_texts_are_refused(text):
    with pytest.raises(UsageError, match="is not the address of a cluster"):
        parse_cluster_address(text)


@pytest.mark.parametrize("host", ["10.0.0.1", "head", "0.0.0.0", "localhost.example"])
def test_another_machine_needs_encryption(host):
    """Otherwise every machine of the network could run programs here."""
    with pytest.raises(UsageError, match="without encryption"):
        parse_cluster_address(f"tcp://{host}:8786")
