"""Addresses of clusters: ``tcp://HOST:PORT``, ``tls://HOST:PORT``, or ``local:N`` for workers on this machine."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from catalog.domain.errors import UsageError

_LOCAL = re.compile(r"local:([1-9][0-9]{0,3})")
_REMOTE = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\[\]/:@\s]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class LocalWorkers:
    """``count`` worker processes on this machine, which end with the command."""

    count: int


@dataclass(frozen=True, slots=True)
class SchedulerAddress:
    """The address of a running scheduler."""

    protocol: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.protocol}://{self.host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        return self.protocol == "tls"


def parse_cluster_address(text: str) -> LocalWorkers | SchedulerAddress:
    """Raises UsageError, also for an address of another machine without TLS."""
    if match := _LOCAL.fullmatch(text):
        return LocalWorkers(int(match[1]))
    match = _REMOTE.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 65_536:
        raise UsageError(
            f'"{text}" is not the address of a cluster.',
            remedy="Write it as tls://HOST:PORT, tcp://HOST:PORT or local:NUMBER, such as local:4.",
        )
    address = SchedulerAddress(match[1], match[2], int(match[3]))
    if not address.is_encrypted and not is_loopback(address.host):
        raise UsageError(
            f'The cluster at "{text}" would be reached without encryption: every machine of the network could run '
            "programs on its workers and on this machine.",
            remedy="Use tls://, with the certificates of `catalog cluster certificates DIR`. "
            "Without TLS only this machine is allowed.",
        )
    return address


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
