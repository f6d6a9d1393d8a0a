"""``catalog find-person``: the photos that show the person of a reference photo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog import ReferenceFace, ReportTable, UsageError
from catalog.app.private_files import refuse_photo, write_privately
from catalog.cli.formatting import box_json, box_text, path_text
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Since, Threshold, Until, Verbose
from catalog.cli.table_output import print_rows, print_table
from catalog.domain.box_columns import BOX_COLUMNS
from catalog.domain.local_day import Period
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display_name
from catalog.reports.render import Format

if TYPE_CHECKING:
    from catalog import Catalog, FindResult

References = Annotated[
    list[Path] | None, typer.Argument(metavar="[REF...]", help="Photos of the person; several views find more.")
]
Negatives = Annotated[
    list[Path] | None,
    typer.Option("--not", metavar="REF", help="A photo of another person who looks similar; repeatable."),
]
FaceNumber = Annotated[
    int | None, typer.Option("--face", min=1, help="Number of the face on the reference; 1 is the largest.")
]
AllFaces = Annotated[bool, typer.Option("--all-faces", help="Search for every face of the reference, one by one.")]
Person = Annotated[
    str | None, typer.Option("--person", metavar="PERSON", help="Search with the faces of this person too.")
]
AtMost = Annotated[int | None, typer.Option("--limit", min=1, max=4096, help="Show at most this many matches.")]
CopyTo = Annotated[Path | None, typer.Option("--copy-to", metavar="DIR", help="Copy the matching photos there.")]
LinkTo = Annotated[Path | None, typer.Option("--link-to", metavar="DIR", help="Link to the matching photos there.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page with the matching faces.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")]


def find_person(
    references: References = None,
    negatives: Negatives = None,
    face: FaceNumber = None,
    all_faces: AllFaces = False,
    person: Person = None,
    since: Since = None,
    until: Until = None,
    threshold: Threshold = None,
    limit: AtMost = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    copy_to: CopyTo = None,
    link_to: LinkTo = None,
    html: Html = None,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Find the photos that show the person on one or more reference photos, best first."""
    if not references and person is None:
        raise UsageError("There is no person to search for.", remedy="Give a reference photo, or --person.")
    flags = {"engine.name": engine, "find.threshold": threshold, "find.limit": limit}
    with open_catalog(config, database, verbose, flags) as catalog:
        # Everything that can be refused is refused before the first paid call.
        refuse_photo(html)
        person_id = catalog.person(person).person_id if person is not None else None
        Period.parse(since, until, names=("--since", "--until"))
        opened_negatives = [ReferenceFace(catalog.open_photo(path), name=str(path)) for path in negatives or []]
        groups = _groups(catalog, references or [], face, all_faces)
        results = [
            catalog.find(*group, negatives=opened_negatives, person=person_id, since=since, until=until)
            for group in groups
        ]
        uris = list(dict.fromkeys(match.uri for result in results for match in result.matches if match.uri))
        for folder, is_link in ((copy_to, False), (link_to, True)):
            if folder is not None:
                _export(catalog, uris, folder, is_link=is_link)
        if html is not None:
            write_privately(html, catalog.find_page(groups, results))
    if as_json:
        answers = [_result_json(result, face or number) for number, result in enumerate(results, start=1)]
        typer.echo(json.dumps(answers if all_faces else answers[0], ensure_ascii=False, indent=2))
    elif as_csv:
        print_table(_table(results), Format.CSV)
    else:
        for number, result in enumerate(results, start=1):
            _print_result(result, number if all_faces else None)
    undated = max((result.undated for result in results), default=0)
    if undated:
        typer.echo(f"Matching photos without a date, left out because of the period: {undated:,}.", err=True)


def _groups(catalog: Catalog, paths: Sequence[Path], face: int | None, all_faces: bool) -> list[list[ReferenceFace]]:
    """The references of each search: one search, or one per face with --all-faces."""
    if face is None and not all_faces:
        return [[_largest(catalog, path) for path in paths]]
    if len(paths) != 1:
        raise UsageError("--face and --all-faces need exactly one reference photo.")
    if face is not None and all_faces:
        raise UsageError("--face and --all-faces exclude each other.")
    photo = catalog.open_photo(paths[0])
    faces = catalog.reference_faces(photo, name=str(paths[0]))
    if face is not None and face > len(faces):
        count = f"{len(faces)} face{'' if len(faces) == 1 else 's'}"
        raise UsageError(f'"{paths[0]}" shows {count}, not {face}.')
    chosen = faces if all_faces else [faces[(face or 1) - 1]]
    return [[ReferenceFace(photo, shown.box, name=str(paths[0]))] for shown in chosen]


def _largest(catalog: Catalog, path: Path) -> ReferenceFace:
    photo = catalog.open_photo(path)
    if catalog.capabilities.is_paid:
        # The search finds the largest face itself: a call to count the faces would be charged too.
        return ReferenceFace(photo, name=str(path))
    faces = catalog.reference_faces(photo, name=str(path))
    if len(faces) > 1:
        count = f'"{path_text(path)}" shows {len(faces)} faces'
        typer.echo(f"{count}; the largest is used. --face N chooses another:", err=True)
        for number, shown in enumerate(faces, start=1):
            typer.echo(f"  {number}: at {box_text(shown.box)}", err=True)
    return ReferenceFace(photo, faces[0].box, name=str(path))


def _result_json(result: FindResult, number: int) -> dict[str, object]:
    """``number`` is the number of the reference's face; 1 is the largest."""
    probe = result.probes[0] if result.probes else None
    return {
        "reference": {"face": number if probe else None, "box": box_json(probe.box) if probe else None},
        "matches": [
            {
                "uri": match.uri,
                "person": match.person_id,
                "person_id": match.person_id,
                "name": match.name,
                "similarity": match.similarity,
                "taken_at": utc_text(match.taken_at),
                "taken_date": match.taken.text if match.taken else None,
                "box": box_json(match.box),
            }
            for match in result.matches
        ],
        "people": [
            {
                "person": candidate.person_id,
                "person_id": candidate.person_id,
                "name": candidate.name,
                "similarity": candidate.score,
                "faces": candidate.faces,
            }
            for candidate in result.candidates
        ],
        "margin": result.margin,
        "tie": result.tie,
        "undated": result.undated,
    }


def _table(results: Sequence[FindResult]) -> ReportTable:
    rows = tuple(
        (
            match.uri,
            match.person_id,
            match.name,
            match.similarity,
            utc_text(match.taken_at),
            *box_json(match.box).values(),
            match.person_id,
            match.taken.text if match.taken else None,
        )
        for result in results
        for match in result.matches
    )
    columns = ("uri", "person", "name", "similarity", "taken_at", *BOX_COLUMNS, "person_id", "taken_date")
    return ReportTable(columns, rows)


def _print_result(result: FindResult, number: int | None) -> None:
    if result.probes:
        label = f"face {number}" if number else "the face"
        boxes = ", ".join(box_text(probe.box) for probe in result.probes)
        typer.echo(f"Searching for {label} at {boxes}")
    if not result.matches:
        typer.echo("No match.")
        return
    typer.echo(_conclusion(result))
    print_rows(
        [
            (
                f"  {match.similarity:6.2f}",
                match.taken.day if match.taken else "no date",
                match.name or match.person_id or "unassigned",
                box_text(match.box),
                match.uri or "",
            )
            for match in result.matches
        ]
    )


def _conclusion(result: FindResult) -> str:
    candidates = result.candidates
    if not candidates:
        return f"{len(result.matches)} faces match; none is assigned to a person yet."
    names = [display_name(candidate.name or candidate.person_id) for candidate in candidates]
    if result.tie:
        return f"{names[0]} and {names[1]} are too similar to decide between them."
    margin = "" if result.margin is None else f", {result.margin:.2f} ahead of {names[1]}"
    return f"{names[0]}, similarity {candidates[0].score:.2f}{margin}"


def _export(catalog: Catalog, uris: Sequence[str], folder: Path, *, is_link: bool) -> None:
    placed = catalog.export_photos(uris, folder, link=is_link)
    for problem in placed.problems:
        typer.echo(f"left out: {problem}", err=True)
    existing = f", {placed.already} were in it already" if placed.already else ""
    typer.echo(f"{placed.placed} photos {'linked' if is_link else 'copied'} to {path_text(folder)}{existing}", err=True)
