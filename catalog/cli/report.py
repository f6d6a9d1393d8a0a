"""``catalog report``: named reports, and the pages made of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from tqdm import tqdm

import catalog
from catalog import ReportRows, UsageError
from catalog.app.private_files import refuse_photo
from catalog.cli.command_group import SubcommandGroup
from catalog.cli.formatting import counted
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, NoProgress, Since, Until, Verbose
from catalog.cli.slow_progress import Progress, slow_progress
from catalog.cli.table_output import print_csv, print_table
from catalog.domain.uri import display_name
from catalog.reports.render import Format, write, write_csv_file
from catalog.reports.report_registry import Report, find_report, reports

FormatName = Annotated[Format, typer.Option("--format", help="Format of the output.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to a file that only you may read.", dir_okay=False),
]
Limit = Annotated[int, typer.Option("--limit", min=0, help="Print at most this many rows; 0: all.")]
Person = Annotated[str | None, typer.Option(metavar="PERSON", help="Only of this person: an id or exact name.")]
Album = Annotated[str | None, typer.Option(metavar="DIR", help="Only in this folder or s3:// prefix and below.")]

ROWS = 1000
"""Rows shown by default."""


_HELP = """Run a named report, or write pages.

A report is about the gallery of the settings. If that gallery holds no face, the report is about the gallery in which
a face was enrolled last.
"""


class _Reports(SubcommandGroup):
    """Finds a report by any of its names."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, find_report(cmd_name).name)


app = typer.Typer(cls=_Reports, no_args_is_help=True, help=_HELP)


@app.command("list")
def list_reports(
    as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0
) -> None:
    """List the reports."""
    del database, config, verbose  # every command accepts them; the list is the same in every catalogue
    if as_json:
        typer.echo(json.dumps({report.name: report.question for report in reports().values()}, indent=2))
        return
    width = max(map(len, reports()))
    for report in reports().values():
        typer.echo(f"{report.name:{width}}  {report.question}")


Folder = Annotated[
    Path, typer.Argument(metavar="OUT", help="A new or empty folder, or one that this command wrote before.")
]
NoPictures = Annotated[bool, typer.Option("--no-pictures", help="Write the pages only; read no photo.")]


@app.command("html")
def html(
    out: Folder,
    no_pictures: NoPictures = False,
    quiet: NoProgress = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Write pages about people, photos over time, expressions and co-occurrence. They need no network and no server."""
    with (
        open_catalog(config, database, verbose, {"engine.name": engine}, read_only=True) as opened,
        slow_progress("report html", quiet=quiet) as questions,
        ExitStack() as stack,
    ):
        bar: tqdm[NoReturn] | None = None

        def progress(done: int, total: int) -> None:
            nonlocal bar
            if bar is None:  # the questions to the database are over
                questions.end()
                is_shown = sys.stderr.isatty() and not quiet
                bar = stack.enter_context(tqdm(unit="photo", disable=not is_shown, leave=False))
            bar.total = total
            bar.update(done - bar.n)

        pages = opened.export_pages(out, images=not no_pictures, progress=progress)
    for sentence in pages.unreadable:
        typer.echo(f"catalog: {sentence}", err=True)
    index = display_name(os.fsencode(out / "index.html"))
    typer.echo(f"{pages.people:,} people and {pages.photos:,} photos, {pages.images:,} photos drawn anew: {index}")
    return 3 if pages.unreadable else 0


def _command(report: Report) -> Callable[..., None]:
    def command(
        since: Since = None,
        until: Until = None,
        person: Person = None,
        album: Album = None,
        form: FormatName = Format.TABLE,
        output: Output = None,
        limit: Limit = ROWS,
        quiet: NoProgress = False,
        engine: EngineName = None,
        database: Database = None,
        config: Config = None,
        verbose: Verbose = 0,
    ) -> None:
        if engine is not None and not report.is_of_faces:
            raise UsageError(f'The report "{report.name}" is not about faces: it takes no --engine.')
        with (
            open_catalog(config, database, verbose, {"engine.name": engine}, read_only=True) as opened,
            slow_progress(f"report {report.name}", quiet=quiet) as progress,
        ):
            filters = catalog.ReportFilters(since, until, person, album)
            with opened.open_report(report.name, filters, limit=limit or None, on_rows=progress.add) as rows:
                deliver(rows, form, output, progress)

    command.__doc__ = f"{report.question}\n\n{report.notes}{_refused_options(report)}"
    return command


def _refused_options(report: Report) -> str:
    """A sentence for the help. All reports have the same options, so that a wrong one gets a clear answer."""
    names = [f"--{name}" for name in ("person", "album") if name not in report.parameters]
    return f" Not accepted: {', '.join(names)}." if names else ""


for _report in reports().values():
    app.command(_report.name)(_command(_report))


def deliver(rows: ReportRows, form: Format, output: Path | None, progress: Progress) -> None:
    """Print or write rows, CSV while they are read. Ends the progress. A message says if rows were left out."""
    if output is None and form is Format.PARQUET:
        raise typer.BadParameter("Parquet is not text: name a file with --output.")
    refuse_photo(output)
    if form is Format.CSV:
        if output is not None:
            write_csv_file(rows, output)
        else:
            if sys.stdout.isatty():
                progress.end()  # the rows show the progress
            print_csv(rows)
        progress.end()
    else:
        table = rows.table()
        progress.end()
        if output is not None:
            write(table, form, output)
        else:
            print_table(table, form)
    if rows.truncated:
        typer.echo(f"Only the first {counted(rows.count, 'row')}. --limit 0 prints all.", err=True)
