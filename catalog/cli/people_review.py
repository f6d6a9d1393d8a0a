"""``catalog people history|suggest|review|recluster|migrate``: what was decided, and what could be."""

from __future__ import annotations

import getpass
import json
from collections.abc import Set
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from catalog.app.resources import Resources, open_resources
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.cli.people_forget import counted, stamp
from catalog.domain.errors import PersonError
from catalog.domain.uri import display
from catalog.identities.assignment.recluster_apply import apply_recluster
from catalog.identities.assignment.recluster_plan import ReclusterPlan, plan_recluster
from catalog.identities.assignment.suggestions import Suggestion
from catalog.identities.assignment.suggestions import suggest as find_suggestions
from catalog.identities.decisions.log import Decision, append, read_decisions
from catalog.identities.decisions.replay import copy_from_other_galleries
from catalog.identities.decisions.verbs import (
    confirm_face,
    merge_persons,
    name_person,
    reject_face,
    separate_persons,
)
from catalog.store.catalogued_faces import faces_of_person
from catalog.store.people import find_person, person_ids_of
from catalog.store.person_index import PersonRow, all_persons

Someone = Annotated[str | None, typer.Argument(metavar="[PERSON]", help="Only about this person.")]
AtMost = Annotated[int, typer.Option("--limit", min=1, help="At most so many.")]


def history(
    person: Someone = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List what humans decided, oldest first; those taken back are marked."""
    with (
        open_resources(config, database, verbose) as catalog,
        catalog.existing_database() as existing,
        existing.read() as connection,
    ):
        about = person_ids_of(connection, find_person(connection, person)) if person else None
        decided = read_decisions(connection, person_ids=about)
    if as_json:
        typer.echo(json.dumps([decision_json(each) for each in decided], ensure_ascii=False, indent=2))
        return
    for each in decided:
        typer.echo(decision_line(each))
    if not decided:
        typer.echo("Nothing was decided yet.")


def suggest(
    person: Someone = None,
    limit: AtMost = 20,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List persons that may be one and faces that may be somebody's, those that settle most faces first."""
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        found = _suggestions(catalog, person, limit)
    if as_json:
        typer.echo(json.dumps([_suggestion_json(each) for each in found], ensure_ascii=False, indent=2))
        return
    for each in found:
        typer.echo(_question(each))
        if each.other is not None:
            typer.echo(f"    catalog people merge {each.person.person_id} {each.other.person_id}")
        elif each.face is not None:
            typer.echo(f"    catalog people confirm {each.face.face_id[:8]} {each.person.person_id}")
    if not found:
        typer.echo("Nothing to ask.")


def review(
    person: Someone = None,
    limit: AtMost = 20,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Answer the suggestions one by one: y yes, n no, s skip, q quit; a name means yes, and names the person."""
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        answered = 0
        told_apart: set[frozenset[str]] = set()
        asked = _suggestions(catalog, person, limit)
        for each in asked:
            now = _as_it_stands(catalog, each, told_apart)
            if now is None:
                continue  # settled by an answer to another question
            typer.echo(_question(now))
            for who in (now.person, now.other):
                if who is not None:
                    _show_photos(catalog, who)
            answer = _ask_human()
            if answer.lower() in ("q", "quit"):
                break
            if answer.lower() in ("n", "no") and now.other is not None:
                told_apart.add(frozenset((now.person.person_id, now.other.person_id)))
            try:
                answered += _answer(catalog, now, answer)
            except PersonError as error:
                typer.echo(f"    {error} {error.remedy}".rstrip(), err=True)
    typer.echo(f"{answered} answered." if asked else "Nothing to ask.")


def recluster(
    apply: Annotated[bool, typer.Option("--apply", help="Carry it out; without, nothing is changed.")] = False,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Group all faces anew and say what would change; only faces that nobody decided on may move."""
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        gallery = catalog.settings.engine.gallery
        change = plan_recluster(catalog.database, catalog.engine, catalog.rules, gallery=gallery)
        done = apply_recluster(catalog.database, change, stamp()) if apply else None
        names = _names(catalog, change)
    if as_json:
        moves = [
            {"from": move.source, "to": move.target, "new": move.to_new is not None, "faces": len(move.rows)}
            for move in change.moves
        ]
        told = {"faces": change.faces, "moved": done.moved if done else change.moved}
        told["persons_new"] = done.persons_new if done else change.persons_new
        redirected = done.redirected if done else change.emptied
        typer.echo(json.dumps({**told, "redirected": redirected, "moves": moves, "applied": apply}, indent=2))
        return
    for move in sorted(change.moves, key=lambda move: -len(move.rows)):
        source = names.get(move.source or "", "nobody")
        target = names.get(move.target or "", "a new person")
        typer.echo(f"  {counted(len(move.rows), 'face'):>12} of {source} -> {target}")
    for gone, kept in sorted((done.redirected if done else change.emptied).items()):
        typer.echo(f"  {gone} {'leads' if apply else 'would lead'} to {kept}{' now' if apply else ''}")
    moved, new = (done.moved, done.persons_new) if done else (change.moved, change.persons_new)
    verb = "moved" if apply else "would move"
    typer.echo(f"{moved:,} of {change.faces:,} faces {verb}; {new:,} new persons; no id is deleted.")
    if done and moved != change.moved:
        typer.echo("What was decided meanwhile, or would have put somebody on a photo twice, was left as it is.")


def _names(catalog: Resources, change: ReclusterPlan) -> dict[str, str]:
    """How to call the persons of a change, by id."""
    ids = {each for move in change.moves for each in (move.source, move.target) if each}
    with catalog.database.read() as connection:
        return {each.person_id: str(each) for each in all_persons(connection) if each.person_id in ids}


def migrate(
    engine: Annotated[str, typer.Option("--engine", metavar="NAME", help="The engine whose faces get the names.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Give the faces of one engine the persons that other engines' faces at the same places have."""
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        gallery = catalog.settings.engine.gallery
        with catalog.database.begin() as connection:
            now = datetime.now(UTC)
            changed = copy_from_other_galleries(connection, engine=engine, gallery=gallery, now=now, overrule=True)
            append(connection, "migrate", who=getpass.getuser(), now=now, name=f"{engine}/{gallery}")
    typer.echo(f"{counted(changed, 'face')} of {engine} {'has' if changed == 1 else 'have'} another person now.")


def decision_line(each: Decision) -> str:
    about = " ".join(
        part
        for part in (
            each.person_id,
            f'"{each.name}"' if each.name else "",
            f"<- {each.other_person_id}"
            if each.verb == "merge"
            else f"-> {each.other_person_id}"
            if each.other_person_id
            else "",
            f"photo {each.place.sha256[:8]}" if each.place else "",
            f"of decision {each.details['of']}" if "of" in each.details else "",
            f"(taken back by {each.undone_by})" if each.undone_by else "",
        )
        if part
    )
    return f"{each.number:6}  {each.decided_at:%Y-%m-%d %H:%M}  {each.decided_by:12}  {each.verb:10}  {about}"


def decision_json(each: Decision) -> dict[str, object]:
    box = each.place.box if each.place else None
    return {
        "decision": each.number,
        "at": each.decided_at.isoformat(),
        "by": each.decided_by,
        "verb": each.verb,
        "person": each.person_id,
        "other_person": each.other_person_id,
        "name": each.name,
        "photo_sha256": each.place.sha256 if each.place else None,
        "box": {"left": box.left, "top": box.top, "width": box.width, "height": box.height} if box else None,
        "undone_by": each.undone_by,
    }


def _suggestions(catalog: Resources, person: str | None, limit: int) -> list[Suggestion]:
    about: PersonRow | None = None
    if person is not None:
        with catalog.database.read() as connection:
            about = find_person(connection, person)
    gallery = catalog.settings.engine.gallery
    return find_suggestions(catalog.database, catalog.engine, catalog.rules, gallery=gallery, limit=limit, person=about)


def _question(each: Suggestion) -> str:
    if each.other is not None:
        what = f"Is {each.other} the same person as {each.person}?"
    else:
        assert each.face is not None
        what = f"Is face {each.face.face_id[:8]} on {display(each.face.uri or '')} {each.person}?"
    asked = f"{what}  similarity {each.similarity:.1f}, settles {counted(each.faces, 'face')}"
    return asked if each.kept_apart is None else f"{asked}; not joined unasked, as {each.kept_apart}"


def _suggestion_json(each: Suggestion) -> dict[str, object]:
    return {
        "person": each.person.person_id,
        "name": each.person.name,
        "other_person": each.other.person_id if each.other else None,
        "face": each.face.face_id if each.face else None,
        "uri": each.face.uri if each.face else None,
        "similarity": each.similarity,
        "faces": each.faces,
        "kept_apart": each.kept_apart,
    }


def _show_photos(catalog: Resources, person: PersonRow) -> None:
    with catalog.database.read() as connection:
        shown = faces_of_person(connection, person, limit=5)
    for face in shown:
        typer.echo(f"    {person}: {display(face.uri or '')}")


def _as_it_stands(catalog: Resources, each: Suggestion, told_apart: Set[frozenset[str]]) -> Suggestion | None:
    """The question after the answers to those before it; None when they settled it."""
    with catalog.database.read() as connection:
        person = find_person(connection, each.person.person_id)
        other = find_person(connection, each.other.person_id) if each.other is not None else None
    if other is not None and (
        other.id == person.id
        or (other.name and person.name)
        or frozenset((person.person_id, other.person_id)) in told_apart
    ):
        return None
    return replace(each, person=person, other=other)


def _ask_human() -> str:
    try:
        return str(typer.prompt("[y]es, [n]o, [s]kip, [q]uit or a name", default="s")).strip()
    except typer.Abort:  # Ctrl-D, Ctrl-C, or the end of a file: what was answered is kept
        typer.echo()
        return "q"


def _answer(catalog: Resources, each: Suggestion, answer: str) -> int:
    """Carry out one answer; 1 if it decided anything."""
    by = stamp()
    with catalog.database.begin() as connection:
        if answer.lower() in ("s", "skip", ""):
            return 0
        if answer.lower() in ("n", "no"):
            if each.face is not None:
                reject_face(connection, each.face, each.person, by)
            elif each.other is not None:
                separate_persons(connection, each.person, each.other, by)
            return 1
        if each.other is not None:
            merge_persons(connection, each.person, each.other, by)
        elif each.face is not None:
            confirm_face(connection, each.face, each.person, by)
        if answer.lower() not in ("y", "yes"):
            name_person(connection, find_person(connection, each.person.person_id), answer, by)
    return 1
