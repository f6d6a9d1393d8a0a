"""``catalog endpoint``: Amazon Rekognition's wire protocol, served from the local engine."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.app.logging_setup import set_up_logging
from catalog.app.settings import default_database, load_settings
from catalog.cli.options import Config, Verbose
from catalog.cli.signals import sigterm_as_ctrl_c
from catalog.domain.errors import UsageError

if TYPE_CHECKING:
    from catalog.endpoint.signature import Key
    from catalog.web.endpoint_server import EndpointServer

Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free port.")]
Host = Annotated[
    str,
    typer.Option(
        "--host", metavar="ADDRESS", help="Address to listen on. Other machines can reach any address but loopback."
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="FILE_OR_URL",
        help="Database of the collections; default: a file of the endpoint; :memory: is lost at the end.",
        show_default=False,
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="FILE",
        help='Lines of "ACCESS_KEY_ID SECRET [ACCOUNT]": only requests signed with one of the keys are served.',
    ),
]
S3 = Annotated[str | None, typer.Option("--s3", metavar="URL", help='S3 server of S3Objects; "aws" for Amazon.')]
S3Region = Annotated[str, typer.Option("--s3-region", metavar="REGION", help="Region of the S3 server.")]
Tps = Annotated[float, typer.Option("--tps", min=0, help="Calls a second for each operation; 0: no limit.")]
Latency = Annotated[float, typer.Option("--latency", min=0, max=60, help="Mean seconds added to each answer.")]
FailRate = Annotated[float, typer.Option("--fail-rate", min=0, max=1, help="Share of calls that fail, 0 to 1.")]
ConsistencyDelay = Annotated[
    float, typer.Option("--consistency-delay", min=0, help="Seconds until a new face can be searched.")
]
AssociateDelay = Annotated[
    float, typer.Option("--associate-delay", min=0, help="Seconds until a changed user is ACTIVE.")
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the injected faults.")]
AllowHost = Annotated[
    list[str] | None,
    typer.Option("--allow-host", metavar="NAME", help="A host name of the endpoint besides localhost; repeatable."),
]
ShowTally = Annotated[
    bool, typer.Option("--tally", help="Print the calls by operation and status at the end, and on SIGUSR1.")
]


def endpoint(
    port: Port = 4599,
    host: Host = "127.0.0.1",
    data: Data = None,
    keys: Keys = None,
    s3: S3 = None,
    s3_region: S3Region = "us-east-1",
    tps: Tps = 0,
    latency: Latency = 0,
    fail_rate: FailRate = 0,
    consistency_delay: ConsistencyDelay = 0,
    associate_delay: AssociateDelay = 0,
    seed: Seed = 0,
    allow_host: AllowHost = None,
    tally: ShowTally = False,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Serve Amazon Rekognition's face operations on this machine, until Ctrl-C.

    boto3, the AWS CLI and other clients use the endpoint if AWS_ENDPOINT_URL_REKOGNITION is set to the printed
    address. The options from --tps to --seed inject faults that clients of Amazon must handle.
    """
    # Heavy: loads boto3 and the network runtime, which the other commands' help does not need.
    from catalog.endpoint.fault_injection import FaultPlan
    from catalog.web.endpoint_server import open_endpoint
    from catalog.web.server import is_loopback

    settings = load_settings(config)
    set_up_logging(verbose)
    plan = FaultPlan(tps, latency, fail_rate, consistency_delay, associate_delay, seed)
    opened = open_endpoint(
        data or str(default_database().with_name("endpoint.sqlite3")),
        host=host,
        port=port,
        plan=plan,
        keys=_read_keys(keys) if keys else None,
        s3_url=s3,
        s3_region=s3_region,
        max_side=settings.images.max_side,
        provider=settings.engine.provider,
        hosts=allow_host or (),
    )
    try:
        with sigterm_as_ctrl_c(), opened as server:
            if not is_loopback(host):
                guard = "" if keys else " and need no key; use --keys or --host 127.0.0.1"
                typer.echo(f"catalog: Warning: other machines can reach {server.url}{guard}.", err=True)
            typer.echo(server.url)
            try:
                with _tally_on_signal(server) if tally else contextlib.nullcontext():
                    server.serve_forever()
            finally:
                if tally:
                    _print_tally(server)
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        raise UsageError(
            f'The endpoint cannot listen on "{host}" port {port}: {error.strerror}.',
            remedy="Name another port with --port; 0 takes a free one.",
        ) from error
    return 0


@contextlib.contextmanager
def _tally_on_signal(server: EndpointServer) -> Iterator[None]:
    previous = signal.signal(signal.SIGUSR1, lambda _signal, _frame: _print_tally(server))
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, previous)


def _print_tally(server: EndpointServer) -> None:
    typer.echo("\n".join(server.service.tally_lines()))


def _read_keys(path: Path) -> dict[str, Key]:
    """Keys by access key id. Raises UsageError."""
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise UsageError(f'The keys in "{path}" cannot be read: {error}.') from error
    if not lines or any(len(words) not in {2, 3} for words in lines):
        raise UsageError(
            f'The file "{path}" does not hold keys.',
            remedy="Write an access key id and its secret on each line, and optionally an account.",
        )
    # The command's --help starts without the endpoint.
    from catalog.endpoint.signature import Key

    return {words[0]: Key(*words[1:]) for words in lines}
