"""``catalog review``: name persons in the browser."""

from __future__ import annotations

import contextlib
import signal
import threading
import webbrowser
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.app.lazy_module import LazyModule
from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, Verbose
from catalog.domain.errors import UsageError
from catalog.web.sessions import TOKEN_SECONDS

if TYPE_CHECKING:
    from catalog.web.review_server import ReviewServer

review_server = LazyModule("catalog.web.review_server")

NoOpen = Annotated[bool, typer.Option("--no-open", help="Print the address instead of opening the browser.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0 takes a free port.")]
HostName = Annotated[
    str | None,
    typer.Option(
        "--host-name",
        metavar="NAME",
        help="Name in the address, for browsers that do not find *.localhost: 127.0.0.1.",
        show_default=False,
    ),
]


def review(
    no_open: NoOpen = False,
    port: Port = 0,
    host_name: HostName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Name persons by looking at them: opens pages in the browser that ask the questions that decide most faces.

    The pages are served on this machine only, until Ctrl-C. Every answer is a decision that `catalog undo` reverts.
    """
    with open_catalog(config, database, verbose) as catalog:
        catalog.review.refresh()
        try:
            server = review_server.ReviewServer(catalog, host_name=host_name, port=port)
        except OSError as error:
            raise UsageError(
                f"The review cannot listen on port {port}: {error.strerror}.",
                remedy="Name another port with --port; 0 takes a free one.",
            ) from error
        signal.signal(signal.SIGTERM, _stop)
        try:
            with contextlib.closing(server), _announced(server, no_open=no_open):
                server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


@contextlib.contextmanager
def _announced(server: ReviewServer, *, no_open: bool) -> Iterator[None]:
    """Open the browser, or print the address."""
    if no_open:
        typer.echo(server.address())
        yield
        return
    with review_server.opening_file(server.address()) as page:
        typer.echo("The review is open in the browser. End it with Ctrl-C.")
        opener = threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True)
        opener.start()
        # The token in the file is of no use after it expired.
        remover = threading.Timer(TOKEN_SECONDS, page.unlink, kwargs={"missing_ok": True})
        remover.daemon = True
        remover.start()
        try:
            yield
        finally:
            remover.cancel()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
