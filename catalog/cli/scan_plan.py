"""``catalog scan --dry-run``: what a scan would do and cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from catalog import Operation
from catalog.cli.listing_output import listing_json, listing_lines

if TYPE_CHECKING:
    from catalog import ScanPlan

_COUNTS = (
    ("discovered", ""),
    ("unchanged", ""),
    ("unseen", "would be read: never seen"),
    ("altered", "would be read: changed, or new to this gallery"),
    ("skipped", ""),
)


def print_plan(plan: ScanPlan, *, as_json: bool, verbose: bool = False) -> None:
    if as_json:
        calls = [
            {"operation": charge.operation.value, "calls": charge.calls, "dollars": float(charge.dollars)}
            for charge in plan.charges
        ]
        counts = {name: getattr(plan, name) for name, _ in _COUNTS}
        dollars = float(sum(charge.dollars for charge in plan.charges))
        files = listing_json(plan.left_out, plan.other_files)
        quotes = {"calls": calls, "dollars": dollars, "note": plan.price_note}
        typer.echo(json.dumps({"plan": True, **counts, **quotes, **files}))
        return
    for name, meaning in _COUNTS:
        label = "photos discovered" if name == "discovered" else f"  {name}"
        typer.echo(f"{label:17} {getattr(plan, name):>9,}   {meaning}".rstrip())
    for line in listing_lines(plan.left_out, plan.other_files, verbose=verbose):
        typer.echo(line)
    if not plan.charges:
        typer.echo(f"The engine {plan.engine} costs nothing.")
    for charge in plan.charges:
        bound = "at most" if charge.operation is Operation.INDEX_FACES else "about"
        typer.echo(f"{bound} {charge.calls:,} calls of {charge.operation.value}: ${charge.dollars:,.4f}")
    if plan.price_note:
        typer.echo(plan.price_note)
