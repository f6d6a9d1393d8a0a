"""Open the catalogue for one command: settings from the options, logging on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import catalog
from catalog.app.logging_setup import set_up_logging


@contextmanager
def open_catalog(
    config: Path | None,
    database: str | None,
    verbose: int,
    flags: Mapping[str, object] | None = None,
    *,
    create: bool = False,
    read_only: bool = False,
) -> Iterator[catalog.Catalog]:
    """The catalogue of a command, closed after the block. ``flags`` are settings by ``section.key``; None is not set.

    With ``create`` a missing catalogue is created: a command that starts one. Otherwise a mistyped path would be
    answered with an empty catalogue.
    """
    with catalog.open(database, config=config, settings=flags, create=create, read_only=read_only) as opened:
        set_up_logging(verbose, opened.settings.log.format)
        yield opened
