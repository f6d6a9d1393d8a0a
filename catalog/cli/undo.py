"""``catalog undo``: revert a decision."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog.cli.formatting import decision_line
from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, Verbose

Number = Annotated[
    int | None, typer.Argument(metavar="[N]", help="Number of the decision in `people history`; default: the last.")
]


def undo(number: Number = None, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Revert a decision: the changed rows are as they were before. An undo can be undone."""
    with open_catalog(config, database, verbose) as catalog:
        undone_by, decision = catalog.decisions.undo_decision(number)
    line = decision_line(decision).strip()
    typer.echo(f"Undone: {line}. (decision {undone_by}; `catalog undo {undone_by}` restores it)")
