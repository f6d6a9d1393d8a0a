"""``catalog check``: checks what a scan needs, without paying."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.domain.errors import CheckRefused

if TYPE_CHECKING:
    from catalog import CheckResult

Sources = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SOURCE]...", help="Folders or s3://bucket/prefix to check too.", show_default=False),
]

MakeCollection = Annotated[
    bool,
    typer.Option(
        "--make-collection",
        help="Create the collection if it does not exist. This is free and tries the permission; otherwise the first "
        "scan creates the collection.",
    ),
]


def check(
    sources: Sources = None,
    make_collection: MakeCollection = False,
    engine: EngineName = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Check what a scan needs: database, disk, lock, networks and each permission at AWS, without paying.

    The first byte of the first object is read from S3. Nothing is changed, unless --make-collection is given.

    Exit code 9 if a check failed.
    """
    results = []
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        for result in catalog.check(sources or (), make_collection=make_collection):
            results.append(result)
            if not as_json:
                _print(result)
    if as_json:
        typer.echo(json.dumps([asdict(result) for result in results], indent=2))
    failed = [result.name for result in results if result.ok is False]
    if failed:
        raise CheckRefused(f"{len(failed)} of {len(results)} checks failed: {', '.join(failed)}.")


def _print(result: CheckResult) -> None:
    word = {True: "ok", False: "MISSING", None: "-"}[result.ok]
    typer.echo(f"{word:8} {result.name:36} {result.note}".rstrip())
    if result.remedy:
        typer.echo(f"{'':8} {result.remedy}")
