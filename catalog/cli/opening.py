"""Open the catalogue for one command: settings from the options, logging on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import typer

import catalog
from catalog import Settings
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
    may_be_missing: bool = False,
) -> Iterator[catalog.Catalog]:
    """The catalogue of a command, closed after the block. ``flags`` are settings by ``section.key``; None is not set.

    With ``create`` a missing catalogue is created: a command that starts one. Otherwise a mistyped path would be
    answered with an empty catalogue. ``read_only`` accepts the user's own catalogue before the first scan, and
    ``may_be_missing`` any.
    """
    with catalog.open(database, config=config, settings=flags, create=create, read_only=read_only) as opened:
        set_up_logging(verbose, opened.settings.log.format)
        if read_only and database is not None and not may_be_missing:
            from catalog.app.open_database import check_exists  # loads SQLAlchemy

            check_exists(opened.settings)
        print_setting_warnings(opened.settings)
        yield opened


def print_setting_warnings(settings: Settings) -> None:
    """One line on stderr for each setting that was read under an old name."""
    for sentence in settings.warnings:
        typer.echo(f"catalog: {sentence}", err=True)
