"""What was paid for is in the ledger, whatever came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from catalog.domain.charges import Charge
from catalog.domain.errors import NoFaceError
from catalog.store.database import Database
from catalog.store.scans import record_charges


@contextmanager
def charge_scope(
    database: Database, *, engine: str, region: str, command: str, scan_id: int | None = None, now: datetime
) -> Iterator[list[Charge]]:
    """A list for the charges of a piece of work, which records them itself, in one transaction with what they brought.

    When an exception leaves the block, the transaction was taken back: then the charges are recorded here.
    """
    charges: list[Charge] = []
    try:
        yield charges
    except BaseException as error:  # whatever ended it, Ctrl-C too: what was paid for is paid for
        if isinstance(error, NoFaceError):
            charges += error.charges
        with database.begin() as connection:
            record_charges(connection, charges, engine=engine, region=region, command=command, scan_id=scan_id, now=now)
        raise
