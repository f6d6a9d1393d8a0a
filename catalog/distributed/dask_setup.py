"""Dask's configuration in every process of a cluster that ``catalog`` starts."""

from __future__ import annotations

from pathlib import Path

import dask

# Before the import of distributed, which sets its loggers up. Errors are reported as sentences of catalog.
dask.config.set({"logging": {"distributed": "critical", "distributed.worker": "critical", "bokeh": "critical"}})

from distributed.security import Security  # noqa: E402

from catalog.distributed.certificates import AUTHORITY  # noqa: E402
from catalog.domain.errors import UsageError  # noqa: E402

dask.config.set(
    {
        # A network that is cut for a minute does not end the connections.
        "distributed.comm.timeouts.tcp": "90s",
        "distributed.comm.timeouts.connect": "30s",
        # A worker that no longer answers is given up after this time, and its chunks run elsewhere.
        "distributed.scheduler.worker-ttl": "3 minutes",
        "distributed.scheduler.allowed-failures": 3,
        # No pages about tasks and machines.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        # Nothing reads Dask's measurements of its own processes, which cost an idle worker 5 % of a processor.
        "distributed.worker.profile.enabled": False,
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.system-monitor.interval": "10s",
    }
)


def security_of(folder: str, role: str) -> Security:
    """Encryption with the certificates of a folder, or, without a folder, as Dask's own configuration says.

    ``role`` is scheduler, worker or client. Raises UsageError if a file is missing, or Dask names no certificates.
    """
    if not folder:
        security = Security(require_encryption=True)
        if security.get_connection_args(role)["ssl_context"] is None:
            raise UsageError(
                "A cluster at a tls:// address needs certificates.",
                remedy="Name the folder of `catalog cluster certificates DIR` in the setting cluster.tls.",
            )
        return security
    directory = Path(folder).expanduser()
    files = {
        "tls_ca_file": directory / f"{AUTHORITY}.pem",
        f"tls_{role}_cert": directory / f"{role}.pem",
        f"tls_{role}_key": directory / f"{role}-key.pem",
    }
    for file in files.values():
        if not file.is_file():
            raise UsageError(
                f'The certificate "{file}" does not exist.',
                remedy="Copy the files of `catalog cluster certificates DIR` there.",
            )
    return Security(require_encryption=True, **{name: str(file) for name, file in files.items()})
