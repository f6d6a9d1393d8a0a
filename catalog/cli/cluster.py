"""``catalog cluster``: a scheduler and workers on this machine, and certificates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.formatting import counted
from catalog.cli.options import Config
from catalog.cli.signals import sigterm_as_ctrl_c
from catalog.distributed.connecting import require_cluster_extra

if TYPE_CHECKING:
    from catalog.distributed import serving
else:
    from catalog.app.lazy_module import LazyModule

    serving = LazyModule("catalog.distributed.serving")

app = typer.Typer(help="Run a cluster on this machine, or make certificates for one.", no_args_is_help=True)


@app.command("run")
def run(
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, max=1024, help="Worker processes; default: one per processor.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on; another machine needs --tls.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port of the scheduler; 0 is any.")] = 8786,
    join: Annotated[
        str | None,
        typer.Option("--join", metavar="ADDRESS", help="Start workers only, for the scheduler at this address."),
    ] = None,
    tls: Annotated[
        Path | None, typer.Option("--tls", metavar="DIR", help="Folder with certificates; default: cluster.tls.")
    ] = None,
    config: Config = None,
) -> int:
    """Run a scheduler and workers on this machine until Ctrl-C.

    Prints the address for `catalog scan --cluster`. A worker that dies is started anew.
    """
    require_cluster_extra()
    count = (os.cpu_count() or 1) if workers is None else workers
    folder = serving.certificates_folder(tls, config)
    try:
        with (
            sigterm_as_ctrl_c(),
            serving.cluster_of_this_machine(count, host=host, port=port, join=join or "", tls=folder) as processes,
        ):
            typer.echo(processes.address)
            typer.echo(f"catalog: {counted(count, 'worker')} ready. Ctrl-C ends the cluster.", err=True)
            processes.wait()
    except KeyboardInterrupt:
        return 130
    return 0


@app.command("certificates")
def certificates(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder for the certificates.", show_default=False)],
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="NAME", help="Name or address of the scheduler; repeatable."),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=36_500, help="Days until the certificates expire.")] = 3650,
) -> int:
    """Make an authority, and certificates for scheduler, workers and clients, readable by you alone."""
    require_cluster_extra()
    for file in serving.write_certificates(folder, hosts=host or (), days=days):
        typer.echo(file)
    typer.echo(
        "catalog: ca.pem and one certificate with its key allow to run programs on every machine of the cluster.\n"
        "  Keep ca-key.pem off the cluster. A worker needs ca.pem, worker.pem and worker-key.pem.",
        err=True,
    )
    return 0
