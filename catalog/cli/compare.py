"""``catalog compare``: compare the largest face of a photo with the faces of another photo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from catalog.app.private_files import refuse_photo, write_privately
from catalog.cli.formatting import box_text
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Threshold, Verbose
from catalog.endpoint.response_builder import comparison_body

SourcePhoto = Annotated[Path, typer.Argument(metavar="SOURCE", help="Its largest face is compared.")]
TargetPhoto = Annotated[Path, typer.Argument(metavar="TARGET", help="Each of its faces is compared with.")]
Annotate = Annotated[
    Path | None, typer.Option("--annotate", metavar="OUT", help="Draw both photos with their faces as one JPEG.")
]


def compare(
    source: SourcePhoto,
    target: TargetPhoto,
    threshold: Threshold = None,
    engine: EngineName = None,
    annotate: Annotate = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Compare the largest face of SOURCE with each face of TARGET. The exit code is 0 also if no face matches."""
    with open_catalog(
        config, database, verbose, {"engine.name": engine, "find.threshold": threshold}, create=True
    ) as catalog:
        refuse_photo(annotate)
        threshold_in_use = catalog.settings.find.threshold
        comparison = catalog.compare(source, target, threshold=0.0 if not as_json else threshold_in_use)
        if annotate is not None:
            write_privately(annotate, catalog.draw_comparison(source, target, comparison, threshold=threshold_in_use))
    if as_json:
        typer.echo(json.dumps(comparison_body(comparison), indent=2))
        return
    for compared in comparison.matches:
        verdict = "match   " if compared.similarity >= threshold_in_use else "no match"
        typer.echo(f"{verdict}  similarity {compared.similarity:6.2f}  face at {box_text(compared.face.box)}")
    if not any(compared.similarity >= threshold_in_use for compared in comparison.matches):
        typer.echo(f"No face of the target is similar at {threshold_in_use:g} or more.")
