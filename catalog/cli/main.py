"""The door of the house: every command, and the one place that turns errors into sentences and exit codes."""

from __future__ import annotations

import errno
import gc
import logging
import os
import sys
import traceback

import typer

from catalog.cli import (
    analyze,
    backup,
    check,
    compare,
    costs,
    database,
    employees,
    endpoint,
    explain,
    export,
    find_person,
    import_names,
    people,
    prune,
    reconcile,
    report,
    scan,
    settings,
    sql,
    status,
    undo,
    watch,
)
from catalog.cli.options import VERSION
from catalog.domain.errors import CatalogError


def _finish(code: int | None, **_options: object) -> None:
    """What a command returns is its exit code; None is 0."""
    raise typer.Exit(code or 0)


INTERRUPTED = 130
UNHEARD = 141
"""The reader of the output went away, as in `catalog ... | head`: what the shell says of every program then."""

app = typer.Typer(
    name="catalog",
    result_callback=_finish,
    help="Catalogue the faces of a photo library: who is on which photo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"catalog {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


# One line a command, or one a group of commands.
app.command("scan")(scan.scan)
app.command("analyze")(analyze.analyze)
app.command("compare")(compare.compare)
app.command("find-person")(find_person.find_person)
app.add_typer(people.app, name="people")
app.command("why")(explain.why)
app.command("undo")(undo.undo)
app.add_typer(watch.app, name="watch")
app.command("enroll")(employees.enroll)
app.command("verify")(employees.verify)
app.command("evaluate")(employees.evaluate)
app.command("audit")(employees.audit)
app.command("endpoint")(endpoint.endpoint)
app.add_typer(report.app, name="report")
app.add_typer(export.app, name="export")
app.add_typer(import_names.app, name="import")
app.command("sql")(sql.sql)
app.command("status")(status.status)
app.command("costs")(costs.costs)
app.command("check")(check.check)
app.command("settings")(settings.show)
app.command("prune")(prune.prune)
app.command("reconcile")(reconcile.reconcile)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(database.app, name="database")


def main() -> None:
    """Run one command and exit with its code; ``-v`` adds the traceback to an error's sentence."""
    gc.freeze()  # what was imported stays for good: looking at it again and again takes a tenth of a long scan's time
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    # A file name may hold bytes that are no text in the locale's encoding; showing it must never end a scan.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(args=arguments, prog_name="catalog")
    except SystemExit as end:
        # Typer has told of a wrong option itself.
        if end.code == INTERRUPTED:
            _tell("Interrupted; what was finished is kept.", "")
        # Typer ends with 1 when the reader of our output went away; every other end of its own is 0 or 2.
        return UNHEARD if end.code == 1 else end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:
        _drop_output()
        return UNHEARD
    except CatalogError as error:
        _tell(str(error), error.remedy)
        return error.exit_code
    except Exception as error:  # noqa: BLE001  the door: whatever is left is a bug, told once
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO)
        if isinstance(error, OSError) and full and not error.filename:
            _tell(f"The output cannot be written: {error.strerror}.", "")
            _drop_output()
            return 2
        if isinstance(error, UnicodeEncodeError) and any(map(_is_no_text, arguments)):
            _tell(f"An argument holds bytes that are no text in UTF-8: {error.object!r}.", "Only paths may.")
            return 2
        _tell(f"This is a bug in catalog: {type(error).__name__}: {error}", "Run again with -v for the traceback.")
        return 1
    return 0


def _drop_output() -> None:
    """Python would try once more at the end to write what could not be, and end with an exit code of its own."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _is_no_text(argument: str) -> bool:
    """Python lets in bytes that the locale cannot read, as lone surrogates."""
    return any("\udc80" <= char <= "\udcff" for char in argument)


def _tell(sentence: str, remedy: str) -> None:
    if logging.getLogger("catalog").isEnabledFor(logging.INFO):
        traceback.print_exc()
    for line in sentence.splitlines():
        print(f"catalog: {line}", file=sys.stderr)  # noqa: T201
    if remedy:
        print(f"  {remedy}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
