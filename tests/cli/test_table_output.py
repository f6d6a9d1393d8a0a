"""CSV and JSON on stdout are the same in every locale."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

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


TERMINAL_PROGRAM = """
from catalog.cli.table_output import print_line, print_rows
print_line("scan 1     " + "/very/long/folder/" * 8)
long_path = "file:///photos/" + "deep/" * 20 + "a.jpg"
print_rows([("  99.50", "2020-01-01", "Ann", long_path), ("   8.00", "no date", "B", "x")])
"""


def printed_on_a_terminal(columns: int) -> list[str]:
    """Return the output of the program on a terminal of this width."""
    primary, replica = pty.openpty()
    fcntl.ioctl(replica, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    subprocess.run([sys.executable, "-c", TERMINAL_PROGRAM], stdout=replica, env=environment, check=True)
    os.close(replica)
    text = os.read(primary, 65536).decode()
    os.close(primary)
    return text.split("\r\n")[:-1]


def test_lines_fit_the_terminal():
    """Paths are shortened in the middle, and columns stay aligned."""
    line, first, second = printed_on_a_terminal(60)
    assert max(map(len, (line, first, second))) <= 60
    assert line.startswith("scan 1")
    assert "…" in line
    assert first.endswith("a.jpg")
    assert first.index("/photos") == second.index("x")


def test_nothing_is_shortened_for_another_program():
    """A pipe gets whole lines."""
    done = subprocess.run([sys.executable, "-c", TERMINAL_PROGRAM], capture_output=True, check=True, text=True)
    assert "…" not in done.stdout
    assert "\x1b" not in done.stdout
