"""``catalog explain``: the neighbors and decisions that put a face where it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.formatting import decision_json, decision_line, face_json
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, FaceId, Verbose
from catalog.domain.uri import display, display_name

if TYPE_CHECKING:
    from catalog import CataloguedFace, Explanation

AtMost = Annotated[int, typer.Option("--limit", min=1, max=100, help="Show at most this many neighbors.")]


def explain(
    face: FaceId,
    limit: AtMost = 10,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Show a face's nearest neighbors with their similarities, and the decisions about the face."""
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        shown = catalog.face(face)
        explanation = catalog.explain(shown.face_id, limit=limit)
    if as_json:
        _print_json(shown, explanation)
    else:
        _print_text(shown, explanation)


def _print_json(face: CataloguedFace, explanation: Explanation) -> None:
    answer = {
        **face_json(face),
        "person": face.person_id,
        "person_id": face.person_id,
        "name": face.name,
        "neighbors": [
            {
                **face_json(neighbor.face),
                "person": neighbor.face.person_id,
                "person_id": neighbor.face.person_id,
                "similarity": neighbor.similarity,
                "kept_apart": neighbor.kept_apart,
            }
            for neighbor in explanation.neighbors
        ],
        "decisions": [decision_json(decision) for decision in explanation.decisions],
    }
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def _print_text(face: CataloguedFace, explanation: Explanation) -> None:
    typer.echo(f"Face {face.face_id} on {display(face.uri or '')}")
    typer.echo(f"  {_state(face, explanation)}")
    for neighbor in explanation.neighbors:
        mark = "=" if neighbor.same else " "
        location = display(neighbor.face.uri or "")
        person = _person(neighbor.face)
        typer.echo(f"  {mark} {neighbor.similarity:6.2f}  {neighbor.face.face_id[:8]}  {person:24}  {location}")
        if neighbor.kept_apart:
            typer.echo(f"              kept separate: {neighbor.kept_apart}")
    for decision in explanation.decisions:
        typer.echo(f"  {decision_line(decision).strip()}")


def _state(face: CataloguedFace, explanation: Explanation) -> str:
    if face.by == "human":
        return f"is {_person(face)}, decided by a user"
    if face.by == "cluster":
        return f"is {_person(face)}, because it is similar to other faces of this person"
    if any(decision.verb == "not_a_face" and decision.undone_by is None for decision in explanation.decisions):
        return "is not a face, decided by a user"
    return "is unassigned"


def _person(face: CataloguedFace) -> str:
    if face.person_id is None:
        return "unassigned"
    return f"{display_name(face.name)} ({face.person_id})" if face.name else face.person_id
