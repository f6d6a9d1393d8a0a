"""``catalog people history|suggest|review|recluster|migrate``: past decisions, and possible ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from catalog import PersonError
from catalog.cli.chosen_cluster import chosen_cluster
from catalog.cli.formatting import counted, decision_json, decision_line
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Cluster, Config, Database, EngineName, Verbose
from catalog.domain.uri import display, display_name

if TYPE_CHECKING:
    from catalog import Catalog, ReclusterPlan, ReclusterResult, Suggestion

AboutPerson = Annotated[str | None, typer.Argument(metavar="[PERSON]", help="Only about this person.")]
AtMost = Annotated[int, typer.Option("--limit", min=1, help="Show at most this many.")]

OfGroup = Annotated[int | None, typer.Option("--group", metavar="N", help="List the decisions of one group.")]

_PHOTOS_SHOWN = 5


def history(
    person: AboutPerson = None,
    group: OfGroup = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List the decisions of users, oldest first. Undone ones are marked.

    Decisions of one group, such as an import, are one line. --group lists them; --json always lists all.
    """
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        decisions = catalog.decisions.history(person)
    if group is not None:
        decisions = tuple(decision for decision in decisions if group in (decision.group, decision.number))
    if as_json:
        typer.echo(json.dumps([decision_json(decision) for decision in decisions], ensure_ascii=False, indent=2))
        return
    group_sizes = Counter(decision.group for decision in decisions if group is None and decision.group is not None)
    listed: set[int] = set()
    for decision in decisions:
        if decision.group is None or group_sizes[decision.group] < 2:
            typer.echo(decision_line(decision))
        elif decision.group not in listed:
            listed.add(decision.group)
            further_decisions = counted(group_sizes[decision.group] - 1, "more decision")
            typer.echo(
                f"{decision_line(decision)}  and {further_decisions}: catalog people history --group {decision.group}"
            )
    if not decisions:
        typer.echo("The decision log is empty.")


def suggest(
    person: AboutPerson = None,
    limit: AtMost = 20,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List pairs of persons, and unassigned faces, that a yes or no would decide; most faces first."""
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        suggestions = catalog.suggestions(person=person, limit=limit)
    if as_json:
        rows = [_suggestion_json(suggestion) for suggestion in suggestions]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for suggestion in suggestions:
        typer.echo(_question(suggestion))
        if suggestion.other is not None:
            ids = f"{suggestion.person.person_id} {suggestion.other.person_id}"
            typer.echo(f"    catalog people merge {ids}{' --same-photo' if suggestion.same_photo else ''}")
        elif suggestion.face is not None:
            ids = f"{suggestion.face.face_id[:8]} {suggestion.person.person_id}"
            typer.echo(f"    catalog people confirm {ids}{' --same-photo' if suggestion.same_photo else ''}")
    if not suggestions:
        typer.echo("There is no suggestion.")


def review(
    person: AboutPerson = None,
    limit: AtMost = 20,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Answer the suggestions one by one: y yes, n no, s skip, q quit, m yes and a name."""
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        answered = 0
        separated: set[frozenset[str]] = set()
        suggestions = catalog.suggestions(person=person, limit=limit)
        for suggestion in suggestions:
            current = _current(catalog, suggestion, separated)
            if current is None:
                continue
            typer.echo(_question(current))
            for shown in (current.person, current.other):
                if shown is not None:
                    _print_photos(catalog, shown.person_id)
            key, name = _prompt()
            if key == "q":
                break
            if key == "n" and current.other is not None:
                separated.add(frozenset((current.person.person_id, current.other.person_id)))
            try:
                answered += _record(catalog, current, key, name)
            except PersonError as error:
                typer.echo(f"    {error} {error.remedy}".rstrip(), err=True)
    typer.echo(f"{answered} answered." if suggestions else "There is no suggestion.")


def recluster(
    apply: Annotated[bool, typer.Option("--apply", help="Move the faces. Without it, nothing is changed.")] = False,
    cluster: Cluster = None,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Cluster all faces again and show the changes. Faces that a user decided on stay."""
    flags = {"engine.name": engine, "cluster.address": cluster}
    with open_catalog(config, database, verbose, flags) as catalog, chosen_cluster(catalog.settings) as connected:
        plan = catalog.recluster(cluster=connected)
        names = {person.person_id: str(person) for person in catalog.people(hidden=True)}
        result = catalog.apply_recluster(plan) if apply else None
    if as_json:
        _print_plan_json(plan, result)
    else:
        _print_plan(plan, result, names)


def _print_plan_json(plan: ReclusterPlan, result: ReclusterResult | None) -> None:
    moves = [
        {"from": move.source, "to": move.target, "new": move.to_new is not None, "faces": len(move.rows)}
        for move in plan.moves
    ]
    answer = {
        "faces": plan.faces,
        "moved": result.moved if result else plan.moved,
        "persons_new": result.persons_new if result else plan.persons_new,
        "redirected": result.redirected if result else plan.emptied,
        "moves": moves,
        "applied": result is not None,
    }
    typer.echo(json.dumps(answer, indent=2))


def _print_plan(plan: ReclusterPlan, result: ReclusterResult | None, names: Mapping[str, str]) -> None:
    for move in sorted(plan.moves, key=lambda move: -len(move.rows)):
        source = names.get(move.source, move.source) if move.source else "no person"
        target = names.get(move.target, move.target) if move.target else "a new person"
        typer.echo(f"  {counted(len(move.rows), 'face'):>12} of {source} -> {target}")
    for person_id, canonical_id in sorted((result.redirected if result else plan.emptied).items()):
        typer.echo(f"  {person_id} {'redirects' if result else 'would redirect'} to {canonical_id}")
    moved, new = (result.moved, result.persons_new) if result else (plan.moved, plan.persons_new)
    verb = "moved" if result else "would move"
    typer.echo(f"{moved:,} of {plan.faces:,} faces {verb}; {new:,} new persons; no id is deleted.")
    if result and moved != plan.moved:
        typer.echo(
            "Faces decided on in the meantime, and moves that would put a person twice on one photo, were left out."
        )


def migrate(
    engine: Annotated[str, typer.Option("--engine", metavar="NAME", help="The engine whose faces get the persons.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Give the faces of one engine the persons that the same faces have in other engines."""
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        changed = catalog.decisions.copy_from_other_galleries()
    typer.echo(f"{counted(changed, 'face')} of {engine} {'has' if changed == 1 else 'have'} another person now.")


def _question(suggestion: Suggestion) -> str:
    if suggestion.other is not None:
        question = f"Is {suggestion.other} the same person as {suggestion.person}?"
    else:
        assert suggestion.face is not None
        location = display(suggestion.face.uri or "")
        question = f"Is face {suggestion.face.face_id[:8]} on {location} {suggestion.person}?"
    line = f"{question}  similarity {suggestion.similarity:.1f}, decides {counted(suggestion.faces, 'face')}"
    if suggestion.same_photo:
        line += "; both are on one photo"
    return line if suggestion.kept_apart is None else f"{line}; not merged, because {suggestion.kept_apart}"


def _suggestion_json(suggestion: Suggestion) -> dict[str, object]:
    return {
        "person": suggestion.person.person_id,
        "person_id": suggestion.person.person_id,
        "name": suggestion.person.name,
        "other_person": suggestion.other.person_id if suggestion.other else None,
        "face": suggestion.face.face_id if suggestion.face else None,
        "uri": suggestion.face.uri if suggestion.face else None,
        "similarity": suggestion.similarity,
        "faces": suggestion.faces,
        "kept_apart": suggestion.kept_apart,
        "same_photo": suggestion.same_photo,
    }


def _print_photos(catalog: Catalog, person_id: str) -> None:
    person = catalog.person(person_id)
    for face in catalog.faces(person_id, limit=_PHOTOS_SHOWN):
        typer.echo(f"    {person}: {display(face.uri or '')}")


def _current(catalog: Catalog, suggestion: Suggestion, separated: Set[frozenset[str]]) -> Suggestion | None:
    """The suggestion after the answers so far, with merged persons replaced; None if an answer decided it."""
    person = catalog.person(suggestion.person.person_id)
    changed = replace(suggestion, person=replace(suggestion.person, person_id=person.person_id, name=person.name))
    if suggestion.other is None:
        return changed
    other_person = catalog.person(suggestion.other.person_id)
    if (
        other_person.person_id == person.person_id
        or (other_person.name and person.name)
        or frozenset((person.person_id, other_person.person_id)) in separated
    ):
        return None
    return replace(changed, other=replace(suggestion.other, person_id=other_person.person_id, name=other_person.name))


ANSWERS = {
    "y": "y",
    "yes": "y",
    "n": "n",
    "no": "n",
    "s": "s",
    "skip": "s",
    "q": "q",
    "quit": "q",
    "m": "m",
    "name": "m",
}
"""Accepted words and the key that each stands for."""


def _prompt() -> tuple[str, str | None]:
    """The key of the answer, and the name typed after the key ``m``. Other words are refused and asked for again."""
    try:
        while True:
            word = str(typer.prompt("[y]es, [n]o, [s]kip, [q]uit, yes and na[m]e", default="s")).strip().lower()
            key = ANSWERS.get(word)
            if key == "m":
                return key, str(typer.prompt("Name")).strip()
            if key is not None:
                return key, None
            typer.echo(f'    "{display_name(word)}" is no answer.', err=True)
    except typer.Abort:  # Ctrl-D, Ctrl-C or the end of the input: earlier answers are kept
        typer.echo()
        return "q", None


def _record(catalog: Catalog, suggestion: Suggestion, key: str, name: str | None) -> int:
    """Record one answer. Returns 1 if it was a decision, else 0."""
    if key == "s":
        return 0
    catalog.decisions.answer(suggestion, is_yes=key != "n", name=name)
    return 1
