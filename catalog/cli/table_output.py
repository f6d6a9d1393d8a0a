"""Prints tables: fitted to a terminal, and as UTF-8 for other programs."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from catalog.reports.render import Format, aligned_lines, render, shortened, write_csv

if TYPE_CHECKING:
    from catalog import ReportTable
    from catalog.reports.report_table import ReportRows, Value


def print_table(table: ReportTable, form: Format) -> None:
    """Print on stdout. On a terminal long cells are shortened to its width. CSV and JSON are UTF-8 in every locale."""
    if form is Format.TABLE:
        sys.stdout.write(render(table, form, terminal_width()))
        return
    _use_utf8()
    sys.stdout.write(render(table, form))


def print_csv(rows: ReportRows) -> None:
    """Print rows as CSV while they are read."""
    _use_utf8()
    write_csv(rows, sys.stdout)


def _use_utf8() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def print_rows(rows: Sequence[Sequence[Value]]) -> None:
    """Print rows without headings: aligned, numbers to the right, and fitted to a terminal."""
    for line in aligned_lines(rows, terminal_width()):
        typer.echo(line)


def print_line(text: str) -> None:
    """Print one line. On a terminal its middle is left out if it is longer than a line."""
    width = terminal_width()
    typer.echo(text if width is None else shortened(text, width))


def terminal_width() -> int | None:
    """Columns of the terminal; None if stdout is a file or another program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
