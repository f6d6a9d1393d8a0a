"""``catalog scan --dry-run``: what a scan would do and what it would cost, from listings alone."""

from __future__ import annotations

import json
from collections.abc import Sequence

import typer

from catalog.app.resources import Resources
from catalog.domain.charges import Charge, Operation
from catalog.identities.assignment.neighbor_searches import plan_searches
from catalog.scanning.plan import Estimate, estimate, plan


def print_plan(catalog: Resources, addresses: Sequence[str], *, as_json: bool) -> None:
    """Print the plan. No photo is read, nothing is written, nobody is paid."""
    total = _estimate(catalog, addresses)
    charges = _charges(catalog, total)
    counts = {name: getattr(total, name) for name in ("discovered", "unchanged", "unseen", "altered", "skipped")}
    if as_json:
        calls = [
            {"operation": charge.operation.value, "calls": charge.calls, "dollars": float(charge.dollars)}
            for charge in charges
        ]
        dollars = float(sum(charge.dollars for charge in charges))
        note = catalog.configured_engine.price_note()
        typer.echo(json.dumps({"plan": True, **counts, "calls": calls, "dollars": dollars, "note": note}))
        return
    for name, meaning in (
        ("discovered", ""),
        ("unchanged", ""),
        ("unseen", "would be read: never seen"),
        ("altered", "would be read: look changed, or new to this gallery"),
        ("skipped", ""),
    ):
        label = "photos discovered" if name == "discovered" else f"  {name}"
        typer.echo(f"{label:17} {counts[name]:>9,}   {meaning}".rstrip())
    if not charges:
        typer.echo(f"The engine {catalog.configured_engine.name} costs nothing.")
    for charge in charges:
        bound = "at most" if charge.operation is Operation.INDEX_FACES else "about"
        typer.echo(f"{bound} {charge.calls:,} calls of {charge.operation.value}: ${charge.dollars:,.4f}")
    if note := catalog.configured_engine.price_note():
        typer.echo(note)


def _estimate(catalog: Resources, addresses: Sequence[str]) -> Estimate:
    chosen = catalog.settings.engine
    total = Estimate()
    with catalog.existing_database() as database:
        for source in catalog.sources(addresses):
            total.add(estimate(plan(database, source, engine=chosen.name, gallery=chosen.gallery)))
    return total


def _charges(catalog: Resources, total: Estimate) -> list[Charge]:
    """IndexFaces once for each photo that may be new, SearchFaces for about as many faces as such photos showed.

    Where users are asked first, so are they about each of these faces; how many lists that saves nobody knows before.
    """
    chosen = catalog.settings.engine
    if not catalog.configured_engine.capabilities.is_paid:
        return []
    with catalog.existing_database() as database, database.read() as connection:
        searches = plan_searches(connection, engine=chosen.name, gallery=chosen.gallery, new_photos=total.to_read)
    rules = catalog.configured_engine.user_vector_rules
    users_first = rules is not None and rules.search_first
    return [
        catalog.quote(Operation.INDEX_FACES, total.to_read),
        *([catalog.quote(Operation.SEARCH_USERS, searches.expected)] if users_first else []),
        catalog.quote(Operation.SEARCH_FACES, searches.expected),
    ]
