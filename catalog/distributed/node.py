"""One process of a cluster: ``python -m catalog.distributed.node scheduler|worker OPTIONS``, started by ``processes``.

It prints its address, then works until its standard input is closed: at the latest when the process that started it
ends, however that happens.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import threading

from catalog.distributed.dask_setup import security_of

# isort: split
from distributed import Scheduler, Worker
from distributed.security import Security

_NO_PAGES = "127.0.0.1:0"
"""Dask always opens an HTTP server. It has no routes, and only this machine reaches it."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="catalog.distributed.node")
    parser.add_argument("role", choices=("scheduler", "worker"))
    parser.add_argument("--scheduler", default="")
    parser.add_argument("--host", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", default="")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal reaches every process; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    security = security_of(options.tls, options.role) if options.tls else None
    if options.role == "scheduler":
        asyncio.run(_run_scheduler(options.host, options.port, security))
    else:
        asyncio.run(_run_worker(options.scheduler, options.host, security))


async def _run_scheduler(host: str, port: int, security: Security | None) -> None:
    protocol = "tcp" if security is None else "tls"
    async with Scheduler(
        host=host, port=port, protocol=protocol, security=security, dashboard=False, dashboard_address=_NO_PAGES
    ) as scheduler:
        print(scheduler.address, flush=True)  # noqa: T201 - read by the parent
        await scheduler.finished()


async def _run_worker(scheduler: str, host: str, security: Security | None) -> None:
    async with Worker(
        scheduler,
        nthreads=1,
        host=host or None,
        security=security,
        dashboard=False,
        dashboard_address=_NO_PAGES,
        memory_limit=0,  # results are small and are fetched at once: nothing is written to the disk
        death_timeout=60,
    ) as worker:
        print(worker.address, flush=True)  # noqa: T201 - read by the parent
        await worker.finished()


def _end_with_parent() -> None:
    # Not sys.stdin: Python aborts at its end while a thread holds the lock of that buffer.
    while os.read(0, 1024):
        continue
    os._exit(0)


if __name__ == "__main__":
    main()
