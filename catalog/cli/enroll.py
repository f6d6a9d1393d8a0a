"""``catalog enroll`` and ``catalog employees``: the employees that ``catalog verify`` verifies."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from catalog import CheckRefused, UsageError
from catalog.cli.claims_file import read_claims
from catalog.cli.formatting import counted, path_text
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.domain.uri import display_name

app = typer.Typer(help="Enroll, list and remove the employees that `verify` verifies.", no_args_is_help=True)

EmployeeId = Annotated[str, typer.Argument(metavar="ID", help="The employee's id in your own system.")]


@app.command()
def enroll(
    employee: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The employee's id in your own system.")
    ] = None,
    photos: Annotated[list[Path] | None, typer.Argument(metavar="[PHOTO]...", help="Reference photos.")] = None,
    batch: Annotated[
        Path | None,
        typer.Option("--from", metavar="CSV", help="Enroll many employees: a file with the columns id, photo."),
    ] = None,
    allow_same_face: Annotated[
        bool, typer.Option("--allow-same-face", help="Enroll a face that is enrolled under another id (twins).")
    ] = False,
    allow_open_mouth: Annotated[
        bool, typer.Option("--allow-open-mouth", help="Enroll a face with an open mouth, or teeth in a smile.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the employee instead.")] = False,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Enroll an employee for verification. A photo of low quality is refused with its reasons (exit code 9).

    So is a photo with sunglasses, closed eyes, an open mouth or a covered face, and one whose face is enrolled under
    another id. With --from the command may be run again: enrolled photos are not examined twice.
    """
    if remove:
        if photos or batch is not None or employee is None:
            raise UsageError("--remove takes an id and no photos.")
        _remove(employee, database, config, verbose)
        return
    claims = _claims(employee, photos, batch)
    with open_catalog(config, database, verbose, {"engine.name": engine}, create=True) as catalog:
        enroll_photos = partial(
            catalog.employees.enroll, allow_same_face=allow_same_face, allow_open_mouth=allow_open_mouth
        )
        results = _enroll(enroll_photos, claims, is_batch=batch is not None)
        expressions = catalog.employees.stored_expressions()
    rows = [(claim, path, reasons) for (claim, path), reasons in zip(claims, results, strict=True)]
    if as_json:
        typer.echo(json.dumps([_row_json(*row) for row in rows], ensure_ascii=False, indent=2))
    else:
        for claim, path, reasons in rows:
            verdict = "refused. " + " ".join(reasons) if reasons else "enrolled"
            of_employee = "" if batch is None else f"{display_name(claim)}  "
            typer.echo(f"{of_employee}{path_text(path)}: {verdict}")
    if expressions:
        typer.echo(
            "Scans store no expressions while employees are enrolled, unless `employees.store_expressions` is true. "
            f"{counted(expressions, 'face')} scanned earlier kept them: `catalog employees delete-expressions`.",
            err=True,
        )
    refused = sum(bool(reasons) for reasons in results)
    if refused:
        raise CheckRefused(f"{refused} of {counted(len(rows), 'photo')} refused.")


@app.command("list")
def list_(as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """List the enrolled employees."""
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        rows = catalog.employees.list()
    if as_json:
        shown = [
            {
                "id": row.employee_id,
                "references": row.references,
                "enrolled_at": row.enrolled_at,
                "enrolled_by": row.enrolled_by,
            }
            for row in rows
        ]
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for row in rows:
        enrolled = f"{row.enrolled_at[:16].replace('T', ' ')} UTC by {display_name(row.enrolled_by)}"
        typer.echo(f"{display_name(row.employee_id):24}  {counted(row.references, 'reference')}  {enrolled}")
    if not rows:
        typer.echo("No employee is enrolled.")


@app.command()
def remove(employee: EmployeeId, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Remove an employee: the references, and the content of the entries in the verification log."""
    _remove(employee, database, config, verbose)


@app.command("delete-expressions")
def delete_expressions(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Delete the stored expressions of all faces. Scans store none while employees are enrolled."""
    if not yes and not _is_confirmed():
        raise UsageError("No confirmation received. Nothing was changed.", remedy="Use --yes in scripts.")
    with open_catalog(config, database, verbose) as catalog:
        faces = catalog.employees.delete_expressions()
    typer.echo(f"The expressions of {counted(faces, 'face')} are deleted.")


def _is_confirmed() -> bool:
    try:
        return typer.confirm("Delete the expressions of all faces? This cannot be undone.", err=True)
    except typer.Abort:
        return False


def _remove(employee: str, database: str | None, config: Path | None, verbose: int) -> None:
    with open_catalog(config, database, verbose) as catalog:
        entries = catalog.employees.remove(employee)
    lost = f"{entries:,} entr{'y' if entries == 1 else 'ies'} of the verification log lost the content"
    typer.echo(f"{display_name(employee)} is removed; {lost}.")


def _claims(employee: str | None, photos: list[Path] | None, batch: Path | None) -> list[tuple[str, Path]]:
    """The pairs of id and photo to enroll. Raises UsageError."""
    if batch is not None:
        if employee is not None:
            raise UsageError("Give an id and photos, or --from CSV, not both.")
        return read_claims(batch)
    if employee is None or not photos:
        raise UsageError("There is no photo to enroll.", remedy="Give an id and photos, or --from CSV.")
    return [(employee, photo) for photo in photos]


def _enroll(
    enroll_photos: Callable[[str, list[Path]], tuple[tuple[str, ...], ...]],
    claims: list[tuple[str, Path]],
    *,
    is_batch: bool,
) -> list[tuple[str, ...]]:
    """The reasons for which each photo is refused; none for an enrolled photo.

    In a file, a photo that cannot be read and an id that is none are refused, and the others are enrolled.
    """
    if not is_batch:
        photos = [photo for _, photo in claims]
        return list(enroll_photos(claims[0][0], photos))
    results: list[tuple[str, ...]] = []
    for claim, photo in claims:
        try:
            results += enroll_photos(claim, [photo])
        except UsageError as error:
            results.append((str(error),))
    return results


def _row_json(claim: str, path: Path, reasons: tuple[str, ...]) -> dict[str, object]:
    verdict = "refused" if reasons else "enrolled"
    return {"id": claim, "photo": path_text(path), "verdict": verdict, "reasons": list(reasons)}
