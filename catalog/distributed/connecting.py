"""Connects to a cluster, or starts one on this machine. Dask is imported here and below, at the first use."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.app.lazy_module import LazyModule
from catalog.distributed.cluster_address import LocalWorkers, parse_cluster_address
from catalog.domain.errors import UsageError

if TYPE_CHECKING:
    from catalog.distributed import certificates, cluster, processes
    from catalog.distributed.cluster import DaskCluster
else:
    certificates = LazyModule("catalog.distributed.certificates")
    cluster = LazyModule("catalog.distributed.cluster")
    processes = LazyModule("catalog.distributed.processes")


def connect_cluster(address: str, *, tls: str = "", wait_seconds: float = 120) -> DaskCluster:
    """Connect to the scheduler at ``tls://HOST:PORT`` or ``tcp://HOST:PORT``, or start ``local:N`` workers here.

    Use the cluster in a ``with`` block and give it to :meth:`catalog.Catalog.scan`. ``tls`` is a folder with
    certificates; empty: those of Dask's own configuration. A scheduler that does not answer, or a cluster without
    workers, is waited for ``wait_seconds``. Raises UsageError and EngineError.
    """
    parsed = parse_cluster_address(address)
    require_cluster_extra()
    with ExitStack() as stack:
        if isinstance(parsed, LocalWorkers):
            # Encrypted, because otherwise every user of this machine could run programs as this user.
            tls = str(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="catalog-cluster-"))) / "tls")
            certificates.make_certificates(Path(tls), days=3650)
            started = processes.ClusterProcesses(parsed.count, tls=tls)
            stack.callback(started.close)
            address = started.address
        security = cluster.security_for(tls, "client") if address.startswith("tls:") else None
        least = parsed.count if isinstance(parsed, LocalWorkers) else 1
        opened = cluster.DaskCluster(address, security, wait_seconds=wait_seconds, least_threads=least)
        opened.keep(stack.pop_all())
    return opened


def require_cluster_extra() -> None:
    """Raise UsageError if the package of the extra is not installed."""
    if find_spec("distributed") is None:
        raise UsageError(
            "Clusters need the package Dask.distributed, which is not installed.",
            remedy="Run: pip install 'face-catalog[cluster]'",
        )
