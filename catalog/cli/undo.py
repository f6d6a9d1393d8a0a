"""``catalog undo``: take a decision back."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog.app.after_scan import assign_released_faces
from catalog.app.resources import open_resources
from catalog.cli.options import Config, Database, Verbose
from catalog.cli.people_forget import stamp
from catalog.cli.people_review import decision_line
from catalog.identities.decisions.undo import undo as take_back

Number = Annotated[
    int | None, typer.Argument(metavar="[N]", help="Number of the decision in `people history`; default: the last.")
]


def undo(number: Number = None, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Take back a decision: what it changed is as it was before it. An undo can be undone."""
    with open_resources(config, database, verbose) as catalog:
        with catalog.database.begin() as connection:
            by, decision = take_back(connection, number, stamp())
        assign_released_faces(catalog, by)
    typer.echo(f"Taken back: {decision_line(decision).strip()}. (decision {by}; `catalog undo {by}` brings it again)")
