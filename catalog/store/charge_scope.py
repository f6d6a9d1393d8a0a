"""Charges that are recorded even if the work that caused them fails."""

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
    """Yield a list for the charges of the block. The block records them itself, in the transaction with its results.

    If an exception leaves the block, its transaction was rolled back, and the charges are recorded here.
    """
    charges: list[Charge] = []
    try:
        yield charges
    except (
        BaseException
    ) as error:  # BaseException: charges must be recorded even on KeyboardInterrupt, because the calls were billed
        if isinstance(error, NoFaceError):
            charges += error.charges
        with database.begin() as connection:
            record_charges(connection, charges, engine=engine, region=region, command=command, scan_id=scan_id, now=now)
        raise
