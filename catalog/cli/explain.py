"""``catalog why``: why a face belongs to whom it does."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from catalog.app.resources import open_resources
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.cli.people import FaceId, face_json, the_face
from catalog.cli.people_review import decision_json, decision_line
from catalog.domain.uri import display
from catalog.identities.assignment.explain import explain as explain_face
from catalog.store.catalogued_faces import CataloguedFace

AtMost = Annotated[int, typer.Option("--limit", min=1, max=100, help="Neighbors shown at most.")]


def explain(
    face: FaceId,
    limit: AtMost = 10,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Show a face's nearest neighbors with their similarities, and every decision that put it where it is."""
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        with catalog.database.read() as connection:
            shown = the_face(catalog, connection, face)
        found = explain_face(catalog.database, catalog.engine, catalog.rules, shown, limit=limit)
    if as_json:
        told = {
            **face_json(shown),
            "person": shown.person_id,
            "name": shown.name,
            "neighbors": [
                {
                    **face_json(each.face),
                    "person": each.face.person_id,
                    "similarity": each.similarity,
                    "kept_apart": each.kept_apart,
                }
                for each in found.neighbors
            ],
            "decisions": [decision_json(each) for each in found.decisions],
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    by = {"human": "as a human said", "cluster": "because it is near others of this person"}.get(shown.by or "", "")
    typer.echo(f"Face {shown.face_id} on {display(shown.uri or '')}")
    no_face = any(each.verb == "not_a_face" and each.undone_by is None for each in found.decisions)
    typer.echo("  is no face, as a human said" if no_face and by == "" else f"  is {_who(shown)} {by}".rstrip())
    for each in found.neighbors:
        mark = "=" if each.same else " "
        where = display(each.face.uri or "")
        typer.echo(f"  {mark} {each.similarity:6.2f}  {each.face.face_id[:8]}  {_who(each.face):24}  {where}")
        if each.kept_apart:
            typer.echo(f"              kept apart: {each.kept_apart}")
    for decision in found.decisions:
        typer.echo(f"  {decision_line(decision).strip()}")


def _who(face: CataloguedFace) -> str:
    if face.person_id is None:
        return "nobody"
    return f"{face.name} ({face.person_id})" if face.name else face.person_id
