"""``catalog scan --dry-run``: what a scan would do and cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

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
            {
                "operation": charge.operation.value,
                "calls": charge.calls,
                "dollars": float(charge.dollars),
                "calls_lowest": low.calls,
                "calls_highest": high.calls,
            }
            for charge, low, high in zip(plan.charges, plan.lowest, plan.highest, strict=True)
        ]
        counts = {name: getattr(plan, name) for name, _ in _COUNTS}
        dollars = float(sum(charge.dollars for charge in plan.charges))
        files = listing_json(plan.left_out, plan.other_files)
        quotes = {
            "calls": calls,
            "dollars": dollars,
            "dollars_highest": float(sum(charge.dollars for charge in plan.highest)),
            "storage_dollars_a_month": float(plan.storage_dollars),
            "sampled_photos": plan.sampled_photos,
            "note": plan.price_note,
            "gallery_note": plan.gallery_note,
        }
        typer.echo(json.dumps({"plan": True, **counts, **quotes, **files}))
        return
    for name, meaning in _COUNTS:
        label = "photos discovered" if name == "discovered" else f"  {name}"
        typer.echo(f"{label:17} {getattr(plan, name):>9,}   {meaning}".rstrip())
    for line in listing_lines(plan.left_out, plan.other_files, verbose=verbose):
        typer.echo(line)
    if not plan.charges:
        typer.echo(f"The engine {plan.engine} costs nothing.")
    for charge, low, high in zip(plan.charges, plan.lowest, plan.highest, strict=True):
        price = f"calls of {charge.operation.value}: ${charge.dollars:,.4f}"
        if low.calls == high.calls:
            typer.echo(f"{charge.calls:,} {price}")
        else:
            typer.echo(f"about {charge.calls:,} {price} ({low.calls:,} to {high.calls:,} calls)")
    if plan.sampled_photos:
        typer.echo(f"The free engine looked at {plan.sampled_photos:,} photos for this estimate.")
    if plan.storage_dollars:
        typer.echo(f"storing about {plan.stored_faces:,} faces: ${plan.storage_dollars:,.5f} a month")
    for note in filter(None, (plan.price_note, plan.gallery_note)):
        typer.echo(note)
