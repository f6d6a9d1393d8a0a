"""``catalog review``: name persons in the browser."""

from __future__ import annotations

import contextlib
import threading
import webbrowser
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.app.lazy_module import LazyModule
from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, Verbose
from catalog.cli.review_lan import LanTerminal
from catalog.cli.signals import sigterm_as_ctrl_c
from catalog.domain.errors import UsageError
from catalog.web.sessions import TOKEN_SECONDS

if TYPE_CHECKING:
    from catalog import Catalog
    from catalog.web import lan, review_server
    from catalog.web.review_server import ReviewServer
else:
    lan = LazyModule("catalog.web.lan")
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

Lan = Annotated[
    bool,
    typer.Option("--lan", help="Serve another device of this network, by TLS; asks here before a device connects."),
]
LanAddress = Annotated[
    str | None,
    typer.Option("--lan-address", metavar="IP", help="With --lan: this machine's address.", show_default=False),
]


def review(
    no_open: NoOpen = False,
    port: Port = 0,
    host_name: HostName = None,
    is_lan: Lan = False,
    lan_address: LanAddress = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Name persons by looking at them: opens pages in the browser that ask the questions that decide most faces.

    The pages are served on this machine only, until Ctrl-C. Every answer is a decision that `catalog undo` reverts.
    With --lan they are served to another device instead, to which a QR code leads.
    """
    if lan_address is not None and not is_lan:
        raise UsageError("--lan-address needs --lan.")
    with open_catalog(config, database, verbose) as catalog:
        if is_lan:
            return _serve_network(catalog, lan.lan_address(lan_address), port)
        catalog.review.prepare()
        try:
            server = review_server.ReviewServer(catalog, host_name=host_name, port=port)
        except OSError as error:
            raise UsageError(
                f"The review cannot listen on port {port}: {error.strerror}.",
                remedy="Name another port with --port; 0 takes a free one.",
            ) from error
        try:
            with (
                sigterm_as_ctrl_c(),
                contextlib.closing(server),
                catalog.copying_log(),
                server.warming_up(),
                _announced(server, no_open=no_open),
            ):
                server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _serve_network(catalog: Catalog, address: str, port: int) -> int:
    """Serve other devices of the network until Ctrl-C, if the user agrees."""
    question = f"Names and faces will be shown to devices that you allow, at {address}. Start?"
    if not typer.confirm(question):
        typer.echo("Not started.")
        return 0
    catalog.review.prepare()
    terminal = LanTerminal(lambda: show_code())
    try:
        server = review_server.LanReviewServer(catalog, address=address, approve=terminal.approve, port=port)
    except OSError as error:
        raise UsageError(f"The review cannot listen on {address}: {error.strerror}.") from error

    def show_code() -> None:
        code_address = server.address()
        typer.echo(lan.qr_code(code_address))
        typer.echo(f"{code_address}\nOpen it within two minutes, once. Press Enter here for a new code, Ctrl-C to end.")

    try:
        with sigterm_as_ctrl_c(), contextlib.closing(server), catalog.copying_log():
            digest = server.certificate_sha256
            typer.echo(f"The device warns that it does not know the certificate. Its SHA-256 is {digest}.")
            show_code()
            terminal.start()
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
