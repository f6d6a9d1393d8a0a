"""Prints tables: fitted to a terminal, and as UTF-8 for other programs."""

from __future__ import annotations

import io
import shutil
import sys
from typing import TYPE_CHECKING

from catalog.reports.render import Format, render

if TYPE_CHECKING:
    from catalog import ReportTable


def print_table(table: ReportTable, form: Format) -> None:
    """Print on stdout. On a terminal long cells are shortened to its width. CSV and JSON are UTF-8 in every locale."""
    if form is Format.TABLE:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        sys.stdout.write(render(table, form, width))
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    sys.stdout.write(render(table, form))
