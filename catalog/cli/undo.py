"""``catalog undo``: revert a decision."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog import UsageError
from catalog.cli.formatting import decision_line
from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, Verbose

Number = Annotated[
    int | None, typer.Argument(metavar="[N]", help="Number of the decision in `people history`; default: the last.")
]


def undo(
    number: Number = None,
    user: Annotated[
        str | None, typer.Option("--by", metavar="LOGIN", help="Without N: the last decision of this user.")
    ] = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Revert a decision: the changed rows are as they were before. An undo can be undone."""
    if number is not None and user is not None:
        raise UsageError("Give the number of a decision, or --by LOGIN, not both.")
    with open_catalog(config, database, verbose) as catalog:
        undone_by, decision = catalog.decisions.undo_decision(number, user=user)
    line = decision_line(decision).strip()
    typer.echo(f"Undone: {line}. (decision {undone_by}; `catalog undo {undone_by}` restores it)")
