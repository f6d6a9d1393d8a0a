"""The cluster of one command, as the option and the settings name it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

import catalog
from catalog import Settings, UsageError

if TYPE_CHECKING:
    from catalog.distributed.cluster import DaskCluster

_DEPRECATED = (
    "catalog: --worker will be removed. Use one scan with --cluster instead: its workers need no database "
    "(docs/cluster.md)."
)


@contextmanager
def chosen_cluster(settings: Settings, *, shared: bool = False) -> Iterator[DaskCluster | None]:
    """The cluster, None if none is asked for. ``shared``: the scan shares its sources with ``--worker``."""
    chosen = settings.cluster
    if shared:
        if settings.origins["cluster.address"] == "command line":
            raise UsageError("--worker and --cluster exclude one another.", remedy="Leave --worker out.")
        typer.echo(_DEPRECATED, err=True)
    if shared or not chosen.address:
        yield None
        return
    with catalog.connect_cluster(chosen.address, tls=chosen.tls, wait_seconds=chosen.wait_seconds) as workers:
        yield workers
