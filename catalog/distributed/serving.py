"""Starts a cluster on this machine for ``catalog cluster run``, and makes certificates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from catalog.app.settings import load_settings
from catalog.distributed.certificates import make_certificates
from catalog.distributed.cluster_address import SchedulerAddress, is_loopback, parse_cluster_address
from catalog.distributed.dask_setup import security_of
from catalog.distributed.processes import ClusterProcesses
from catalog.domain.errors import UsageError


def certificates_folder(tls: Path | None, config: Path | None) -> str:
    """The folder of the option, else of the setting ``cluster.tls``; empty without one. Raises SettingsError."""
    return str(tls) if tls is not None else load_settings(config).cluster.tls


@contextmanager
def cluster_of_this_machine(workers: int, *, host: str, port: int, join: str, tls: str) -> Iterator[ClusterProcesses]:
    """Run processes, which end with the block. Raises UsageError and EngineError.

    Without ``join`` a scheduler is among them, which listens at ``host`` and ``port``.
    """
    if join:
        address = parse_cluster_address(join)
        if not isinstance(address, SchedulerAddress):
            raise UsageError(f'"{join}" is not the address of a scheduler.', remedy="Write it as tls://HOST:PORT.")
        if address.is_encrypted and not tls:
            raise UsageError("Workers need certificates to join.", remedy="Name their folder with --tls DIR.")
    elif not tls and not is_loopback(host):
        raise UsageError(
            f'Without encryption every machine that reaches "{host}" could run programs here.',
            remedy="Give --tls DIR, with the certificates of `catalog cluster certificates DIR`.",
        )
    if tls:
        for role in ("worker",) if join else ("scheduler", "worker"):
            security_of(tls, role)
    processes = ClusterProcesses(workers, host=host, port=port, tls=tls, join=join)
    try:
        yield processes
    finally:
        processes.close()


def write_certificates(folder: Path, *, hosts: Sequence[str], days: int) -> list[Path]:
    """Make the certificates; returns their files. Raises UsageError."""
    make_certificates(folder, hosts=hosts, days=days)
    return sorted(folder.glob("*.pem"))
