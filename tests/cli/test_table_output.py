"""CSV and JSON on stdout are the same in every locale."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
from catalog import ReportTable
from catalog.cli.table_output import print_table
from catalog.reports.render import Format
print_table(ReportTable(("name", "faces"), (("花子", 2),)), Format({form!r}))
"""


def printed(form: str, encoding: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(form=form)],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    return done.stdout


def test_csv_is_utf_8_with_line_feeds():
    """A Latin-1 locale does not change the bytes."""
    assert printed("csv", "latin-1") == "name,faces\n花子,2\n".encode()


def test_json_is_utf_8():
    """A Latin-1 locale does not change the bytes."""
    assert '"花子"'.encode() in printed("json", "latin-1")
