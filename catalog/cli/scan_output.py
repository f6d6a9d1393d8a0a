"""The closing table of a scan, with the next step for the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from catalog.cli.listing_output import listing_lines
from catalog.domain.uri import display_name

if TYPE_CHECKING:
    from catalog import Catalog, PrefilterCounts, ScanSummary


def print_summary(catalog: Catalog, summary: ScanSummary, sources: Sequence[str], *, verbose: bool) -> None:
    """Print the counts, the location of the catalogue and the next step."""
    typer.echo("\n".join(table_lines(summary)))
    for line in listing_lines(summary.left_out, summary.other_files, verbose=verbose):
        typer.echo(line)
    if not summary.discovered:
        typer.echo(f"There is no photo in {', '.join(map(display_name, sources))}.")
    typer.echo(f"catalogue           {catalog.address}")
    persons = catalog.person_counts()
    step = next_step(persons.people, persons.named_people)
    if step:
        typer.echo(step)


def table_lines(summary: ScanSummary) -> list[str]:
    """The count of discovered photos, and every other count that is not 0."""
    counts = [
        ("faces found", summary.faces),
        ("faces rejected", summary.rejected),
        ("new persons", summary.persons_new),
        ("persons deleted", summary.persons_deleted),
        ("faces separated", summary.churn),
        ("conflicts", summary.conflicts),
    ]
    lines = [f"photos discovered {summary.discovered:>9,}"]
    lines += [f"  {kind.value:<15} {number:>9,}" for kind, number in summary.outcomes.items() if number]
    lines += [f"photos missing {summary.missing:>12,}"] if summary.missing else []
    lines += [f"{name:<17} {number:>9,}" for name, number in counts if number]
    if summary.calls:
        lines += [f"paid calls        {summary.calls:>9,}   ${summary.dollars:.4f}"]
    return lines


def next_step(people: int, named_people: int) -> str:
    """The command that names people, or an empty text if every person has a name."""
    unnamed = people - named_people
    if unnamed <= 0:
        return ""
    if not named_people:
        names = "it has no name" if people == 1 else "none has a name"
        return f"{_people(people)}, {names}: catalog review"
    verb = "has" if unnamed == 1 else "have"
    return f"{_people(people)}, {unnamed:,} {verb} no name: catalog review"


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def print_prefilter_counts(counts: PrefilterCounts) -> None:
    typer.echo(f"{counts.skipped:,} photos were skipped by the prefilter", err=True)
    if counts.sampled:
        typer.echo(
            f"of {counts.sampled:,} photos without a face that were sent as a sample, {counts.missed:,} showed a face "
            f"({counts.missed / counts.sampled:.1%})",
            err=True,
        )
