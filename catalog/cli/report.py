"""``catalog report``: questions with a name, and the pages made of their answers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm
from typer.core import TyperGroup

from catalog.app.resources import Resources, open_resources
from catalog.cli.options import VERSION, AsJson, Config, Database, EngineName, Verbose
from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.reports.filters import ReportFilters
from catalog.reports.gallery_filter import Gallery
from catalog.reports.render import Format, render, write
from catalog.reports.report_registry import Report, find_report, reports
from catalog.reports.run_report import ReportTable, run_report
from catalog.store.photos import Location

FormatName = Annotated[Format, typer.Option("--format", help="How to print the answer.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to a file that only you may read.", dir_okay=False),
]
Limit = Annotated[int, typer.Option("--limit", min=0, help="Rows at most; 0: all.")]
Since = Annotated[str | None, typer.Option(metavar="DATE", help="From this year, month, day or moment on (UTC).")]
Until = Annotated[str | None, typer.Option(metavar="DATE", help="To the end of this year, month, day or moment (UTC).")]
Person = Annotated[str | None, typer.Option(metavar="PERSON", help="Only of this person: an id or exact name.")]
Album = Annotated[str | None, typer.Option(metavar="DIR", help="Only in this folder or s3:// prefix and below.")]

ROWS = 1000
"""Rows shown unless more are asked for."""


_HELP = """Answer a question with a name, or draw pages.

Faces and people are those of one gallery, the one that the settings name; where it holds no face, the one that a face
was enrolled in last.
"""


class _Reports(TyperGroup):
    """Finds a report by any of its names."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, find_report(cmd_name).name)


app = typer.Typer(cls=_Reports, no_args_is_help=True, help=_HELP)


@app.command("list")
def list_reports(
    as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0
) -> None:
    """List the questions that have a name."""
    del database, config, verbose  # accepted by every command; the list is the same in every catalogue
    if as_json:
        typer.echo(json.dumps({report.name: report.question for report in reports().values()}, indent=2))
        return
    width = max(map(len, reports()))
    for report in reports().values():
        typer.echo(f"{report.name:{width}}  {report.question}")


Folder = Annotated[
    Path, typer.Argument(metavar="OUT", help="A new or empty folder, or one that this command made before.")
]
NoPictures = Annotated[bool, typer.Option("--no-pictures", help="Write the pages only; read no photo.")]


@app.command("html")
def html(
    out: Folder,
    no_pictures: NoPictures = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Write pages to look at: people, photos in time, expressions, company. They need no network and no server."""
    # Heavy: templates and charts, which no other command needs.
    from catalog.reports.site.output_folder import SiteFolder
    from catalog.reports.site.write_site import write_site

    flags = {"engine.name": engine}
    with open_resources(config, database, verbose, flags) as catalog, catalog.existing_database() as existing:
        bar = tqdm(unit="photo", disable=not sys.stderr.isatty())

        def progress(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        written = write_site(
            existing,
            SiteFolder(out),
            read=lambda uri: catalog.read_uri(uri),
            opener=catalog.opener,
            workers=catalog.workers,
            now=datetime.now(UTC),
            version=VERSION,
            pictures=not no_pictures,
            gallery=_gallery(catalog),
            progress=progress,
        )
        bar.close()
    for sentence in written.unreadable:
        typer.echo(f"catalog: {sentence}", err=True)
    typer.echo(
        f"{written.people:,} people and {written.photos:,} photos, {written.pictures:,} photos drawn anew: "
        f"{display_name(os.fsencode(out / 'index.html'))}"
    )
    return 3 if written.unreadable else 0


def _gallery(catalog: Resources) -> Gallery:
    """The one that the settings name."""
    return Gallery(catalog.settings.engine.name, catalog.settings.engine.gallery)


def _place(uri: str) -> Location:
    """A place to read, of which only the address is known."""
    return Location(uri, 0, "", 0, 0, "", None, None, 0)


def _command(report: Report) -> Callable[..., None]:
    def command(
        since: Since = None,
        until: Until = None,
        person: Person = None,
        album: Album = None,
        form: FormatName = Format.TABLE,
        output: Output = None,
        limit: Limit = ROWS,
        engine: EngineName = None,
        database: Database = None,
        config: Config = None,
        verbose: Verbose = 0,
    ) -> None:
        if engine is not None and not report.is_of_faces:
            raise UsageError(f'The report "{report.name}" is not about faces: it knows no --engine.')
        flags = {"engine.name": engine}
        with open_resources(config, database, verbose, flags) as catalog, catalog.existing_database() as existing:
            scope = ReportFilters(since, until, person, album)
            answer = run_report(existing, report, scope, limit or None, gallery=_gallery(catalog))
        deliver(answer, form, output)

    command.__doc__ = f"{report.question}\n\n{report.notes}"
    return command


for _report in reports().values():
    app.command(_report.name)(_command(_report))


def deliver(answer: ReportTable, form: Format, output: Path | None) -> None:
    """Print or write an answer, and say on stderr when there is more of it."""
    if output is not None:
        write(answer, form, output)
    elif form is Format.PARQUET:
        raise typer.BadParameter("parquet is no text: name a file with --output.")
    else:
        sys.stdout.write(render(answer, form))
    if answer.truncated:
        typer.echo(f"The first {len(answer.rows)} rows; there are more. --limit 0 gives all.", err=True)
