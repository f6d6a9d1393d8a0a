"""``catalog scan --dry-run``: what a scan would do and cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from catalog.cli.listing_output import listing_json, listing_lines
from catalog.cli.table_output import print_rows

if TYPE_CHECKING:
    from catalog import ScanPlan
    from catalog.app.scan_plan import PlannedFolder

_COUNTS = (
    ("discovered", "photos discovered", ""),
    ("unchanged", "unchanged", ""),
    ("unseen", "new", "or a copy of a known photo"),
    ("altered", "changed", "or known, and new to this gallery"),
    ("skipped", "skipped", ""),
    ("stacked", "in stacks", "not charged: another file of the same exposure is"),
)
"""Key of the JSON output, word of the scan, and a note."""
_FOLDERS_SHOWN = 10


def print_plan(plan: ScanPlan, *, as_json: bool, verbose: bool = False) -> None:
    if as_json:
        typer.echo(json.dumps(_plan_json(plan)))
        return
    for name, word, note in _COUNTS:
        number = getattr(plan, name)
        if name == "discovered":
            typer.echo(f"{word:17} {number:>9,}")
        elif number:
            typer.echo(f"  {word:15} {number:>9,}   {note}".rstrip())
    for line in listing_lines(plan.left_out, plan.other_files, verbose=verbose):
        typer.echo(line)
    _print_folders(plan.folders, verbose=verbose)
    if plan.seconds:
        typer.echo(f"about {duration_text(plan.seconds)} to read {plan.unseen + plan.altered:,} photos")
    _print_calls(plan)
    if plan.sampled_photos:
        typer.echo(f"The free engine looked at {plan.sampled_photos:,} photos for this estimate.")
    if plan.storage_dollars:
        typer.echo(f"storing about {plan.stored_faces:,} faces: ${plan.storage_dollars:,.5f} a month")
    for note in filter(None, (plan.price_note, plan.gallery_note)):
        typer.echo(note)


def _print_calls(plan: ScanPlan) -> None:
    if not plan.charges:
        typer.echo(f"The engine {plan.engine} costs nothing.")
    for charge, low, high in zip(plan.charges, plan.lowest, plan.highest, strict=True):
        price = f"calls of {charge.operation.value}: ${charge.dollars:,.4f}"
        if low.calls == high.calls:
            typer.echo(f"{charge.calls:,} {price}")
        else:
            typer.echo(f"about {charge.calls:,} {price} ({low.calls:,} to {high.calls:,} calls)")


def _plan_json(plan: ScanPlan) -> dict[str, object]:
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
    counts = {name: getattr(plan, name) for name, _, _ in _COUNTS}
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
        "seconds": None if plan.seconds is None else round(plan.seconds, 1),
        "folders": [
            {"uri": folder.uri, "discovered": folder.discovered, "to_read": folder.to_read} for folder in plan.folders
        ],
    }
    return {"plan": True, **counts, **quotes, **files}


def _print_folders(folders: Sequence[PlannedFolder], *, verbose: bool) -> None:
    """Print the largest folders, or all of them, with their photos and those of them that would be read."""
    if len(folders) < 2:
        return
    shown = folders if verbose else folders[:_FOLDERS_SHOWN]
    rows = [(f"{folder.discovered:>9,}", f"{folder.to_read:>9,}", folder.uri) for folder in shown]
    print_rows([("   photos", "  to read", "folder"), *rows])
    if len(shown) < len(folders):
        typer.echo(f"and {len(folders) - len(shown):,} more folders (-v lists them)")


def duration_text(seconds: float) -> str:
    """A duration in the largest fitting unit, rounded: ``40 seconds``, ``12 minutes``, ``3.5 hours``."""
    if seconds < 90:
        number = max(1, round(seconds))
        return f"{number} second{'' if number == 1 else 's'}"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
