"""``catalog find-person``: which photos show whoever is on a reference photo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from catalog.app.resources import Resources, open_resources
from catalog.cli.analyze import box_text
from catalog.cli.crop_files import write_privately
from catalog.cli.options import AsJson, Config, Database, EngineName, Threshold, Verbose
from catalog.domain.errors import NoFaceError, PhotoError, SourceError, UsageError
from catalog.domain.faces import BoundingBox, Face
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.uri import display, display_name
from catalog.exchange.albums import place_photos
from catalog.identities.matching.find_person import FindResult, FoundFace, PersonQuery, Reference, find_faces
from catalog.images.crop import cut_out
from catalog.reports.render import Format, render
from catalog.reports.run_report import ReportTable
from catalog.store.people import find_person as person_named

References = Annotated[
    list[Path] | None, typer.Argument(metavar="[REF...]", help="Photos of the person; several views find more.")
]
Negatives = Annotated[
    list[Path] | None,
    typer.Option("--not", metavar="REF", help="A photo of somebody else who looks alike; repeatable."),
]
FaceNumber = Annotated[int | None, typer.Option("--face", min=1, help="Which face of the reference; 1 is the largest.")]
AllFaces = Annotated[bool, typer.Option("--all-faces", help="Look for every face of the reference, one by one.")]
Person = Annotated[
    str | None, typer.Option("--person", metavar="PERSON", help="Look with this person's own faces too.")
]
Since = Annotated[str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="Only photos from this day on.")]
Until = Annotated[str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="Only photos up to this day.")]
AtMost = Annotated[int | None, typer.Option("--limit", min=1, max=4096, help="Matches shown at most.")]
CopyTo = Annotated[Path | None, typer.Option("--copy-to", metavar="DIR", help="Copy the photos that match there.")]
LinkTo = Annotated[Path | None, typer.Option("--link-to", metavar="DIR", help="Link to the photos that match there.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page with the faces found.")]
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
        raise UsageError("There is nobody to look for.", remedy="Give a reference photo, or --person.")
    flags = {"engine.name": engine, "find.threshold": threshold, "find.limit": limit}
    with open_resources(config, database, verbose, flags) as catalog:
        common = _common(catalog, negatives or [], person, since, until)  # refuses before anything is paid for
        groups = _groups(catalog, references or [], face, all_faces)
        found = [_find(catalog, group, common) for group in groups]
        uris = list(dict.fromkeys(match.uri for each in found for match in each.matches if match.uri))
        for folder, link in ((copy_to, False), (link_to, True)):
            if folder is not None:
                _deliver(catalog, uris, folder, link=link)
        if html is not None:
            write_privately(html, _draw(catalog, groups, found))
    if as_json:
        answers = [found_json(each, face or number) for number, each in enumerate(found, start=1)]
        typer.echo(json.dumps(answers if all_faces else answers[0], ensure_ascii=False, indent=2))
    elif as_csv:
        typer.echo(render(_as_answer(found), Format.CSV), nl=False)
    else:
        for number, each in enumerate(found, start=1):
            _print_found(each, number if all_faces else None)


def _groups(catalog: Resources, paths: Sequence[Path], face: int | None, all_faces: bool) -> list[list[Reference]]:
    """What to search with: one group of references for one person, or one for each face with --all-faces."""
    if face is None and not all_faces:
        return [[_largest(catalog, path) for path in paths]]
    if len(paths) != 1:
        raise UsageError("--face and --all-faces go with one reference photo.")
    if face is not None and all_faces:
        raise UsageError("--face takes one face and --all-faces all of them: give one of the two.")
    photo, faces = _seen(catalog, paths[0])
    if face is not None and face > len(faces):
        count = f"{len(faces)} face{'' if len(faces) == 1 else 's'}"
        raise UsageError(f'"{paths[0]}" shows {count}, not {face}.')
    chosen = faces if all_faces else [faces[(face or 1) - 1]]
    return [[Reference(photo, each.box)] for each in chosen]


def _largest(catalog: Resources, path: Path) -> Reference:
    photo, faces = _seen(catalog, path)
    if len(faces) > 1:
        typer.echo(f'"{path}" shows {len(faces)} faces; the largest is used. --face N takes another:', err=True)
        for number, each in enumerate(faces, start=1):
            typer.echo(f"  {number}: at {box_text(each.box)}", err=True)
    return Reference(photo, faces[0].box)


def _seen(catalog: Resources, path: Path) -> tuple[OpenedPhoto, tuple[Face, ...]]:
    photo = catalog.open_file(path)
    analysis = catalog.engine.analyze(photo)
    catalog.charge("find-person", analysis.charges)
    if not analysis.faces:
        raise NoFaceError(f'"{path}" shows no face.', remedy="Take a photo on which the face is larger or sharper.")
    return photo, analysis.faces


def _common(
    catalog: Resources, negatives: Sequence[Path], person: str | None, since: str | None, until: str | None
) -> PersonQuery:
    with catalog.database.read() as connection:
        known = person_named(connection, person) if person is not None else None
    find = catalog.settings.find
    first, last = _day(since, time.min), _day(until, time.max)
    if first and last and first > last:
        raise UsageError(f"There is no day from {since} on and up to {until}.")
    return PersonQuery(
        negatives=[Reference(catalog.open_file(path), name=str(path)) for path in negatives],
        person=known,
        threshold=find.threshold,
        limit=find.limit,
        since=first,
        until=last,
    )


def _find(catalog: Resources, references: Sequence[Reference], common: PersonQuery) -> FindResult:
    return find_faces(
        catalog.database,
        catalog.engine,
        replace(common, references=references),
        gallery=catalog.settings.engine.gallery,
        users=catalog.engine.user_vectors,
        on_charges=lambda charges: catalog.charge("find-person", charges),
    )


def _day(text: str | None, moment: time) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), moment, UTC) if text else None
    except ValueError as error:
        raise UsageError(f'"{text}" is not a day.', remedy="Write it as 2024-12-31.") from error


def found_json(found: FindResult, number: int) -> dict[str, object]:
    """``number`` is that of the reference's face, the largest being 1."""
    probe = found.probes[0] if found.probes else None
    return {
        "reference": {"face": number if probe else None, "box": _box_json(probe.box) if probe else None},
        "matches": [
            {
                "uri": match.uri,
                "person": match.person_id,
                "name": match.name,
                "similarity": match.similarity,
                "taken_at": match.taken_at.isoformat() if match.taken_at else None,
                "box": _box_json(match.box),
            }
            for match in found.matches
        ],
        "people": [
            {"person": each.person_id, "name": each.name, "similarity": each.score, "faces": each.faces}
            for each in found.candidates
        ],
        "margin": found.margin,
        "tie": found.tie,
    }


def _box_json(box: BoundingBox) -> dict[str, float]:
    return {"left": box.left, "top": box.top, "width": box.width, "height": box.height}


def _as_answer(found: Sequence[FindResult]) -> ReportTable:
    rows = tuple(
        (match.uri, match.person_id, match.name, match.similarity, _taken(match), *_edges(match.box))
        for each in found
        for match in each.matches
    )
    places = ("box_left", "box_top", "box_width", "box_height")
    return ReportTable(("uri", "person", "name", "similarity", "taken_at", *places), rows)


def _edges(box: BoundingBox) -> tuple[float, float, float, float]:
    return box.left, box.top, box.width, box.height


def _taken(match: FoundFace) -> str | None:
    return match.taken_at.isoformat() if match.taken_at else None


def _print_found(found: FindResult, number: int | None) -> None:
    if found.probes:
        which = f"face {number}" if number else "the face"
        where = ", ".join(box_text(probe.box) for probe in found.probes)
        typer.echo(f"Looking for {which} at {where}")
    if not found.matches:
        typer.echo("Nothing found.")
        return
    typer.echo(_verdict(found))
    for match in found.matches:
        taken = match.taken_at.date().isoformat() if match.taken_at else "no date"
        who = display_name(match.name or match.person_id or "nobody yet")
        place = box_text(match.box)
        typer.echo(f"  {match.similarity:6.2f}  {taken:10}  {who:20}  {place:14}  {display(match.uri or '')}")


def _verdict(found: FindResult) -> str:
    people = found.candidates
    if not people:
        return f"{len(found.matches)} faces match; none belongs to a person yet."
    names = [each.name or each.person_id for each in people]
    if found.tie:
        return f"Between {names[0]} and {names[1]}: too near to tell apart."
    margin = "" if found.margin is None else f", {found.margin:.2f} before {names[1]}"
    return f"{names[0]}, similarity {people[0].score:.2f}{margin}"


def _deliver(catalog: Resources, uris: Sequence[str], folder: Path, *, link: bool) -> None:
    """Copy or link photos into a folder; what cannot be placed is told and left out."""

    def read(uri: str) -> bytes:
        return catalog.read_uri(uri)

    placed = place_photos(uris, folder, link=link, read=read)
    for problem in placed.problems:
        typer.echo(f"left out: {problem}", err=True)
    there = f", {placed.already} were there already" if placed.already else ""
    typer.echo(f"{placed.placed} photos {'linked' if link else 'copied'} to {folder}{there}", err=True)


def _draw(catalog: Resources, groups: Sequence[Sequence[Reference]], found: Sequence[FindResult]) -> bytes:
    """The page of what was found: the face looked for, and each match cut out of its photo."""
    # Heavy: the templates.
    from catalog.reports.search_page import FoundPicture, found_page

    pictures: list[bytes] = []
    for group, each in zip(groups, found, strict=True):
        if group and each.probes:
            pictures.append(cut_out(group[0].photo, each.probes[0].box))
    matches = [
        FoundPicture(
            crop=_crop(catalog, match),
            name=display_name(match.name) if match.name else None,
            person_id=match.person_id,
            similarity=match.similarity,
            taken_at=match.taken_at.date().isoformat() if match.taken_at else None,
            place=display(match.uri or ""),
        )
        for each in found
        for match in each.matches
    ]
    return found_page(pictures, matches).encode("utf-8", "backslashreplace")


def _crop(catalog: Resources, match: FoundFace) -> bytes | None:
    """The face as it is on its photo, or None where the photo cannot be read any more."""
    if match.uri is None:
        return None
    try:
        data = catalog.read_uri(match.uri)
        return cut_out(catalog.open_photo(data), match.box)
    except (PhotoError, SourceError):
        return None
