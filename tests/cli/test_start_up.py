"""The program starts without loading packages that the command does not need."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from catalog.cli.command_group import load_command
from catalog.cli.main import COMMANDS

HEAVY = ("numpy", "sqlalchemy", "PIL", "lxml", "boto3", "onnxruntime", "jinja2", "psycopg")
PROGRAM = f"""
import sys
from catalog.cli.main import run
try:
    run(sys.argv[1:])
finally:
    sys.stdout.flush()
    print("loaded:", [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def loaded_by(*arguments: str, **environment: str) -> tuple[str, str]:
    """Standard output of ``catalog ARGUMENTS`` in a new process, and the last line of its stderr."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("no-such-command",)])
def test_no_heavy_package_is_loaded(arguments):
    """Version, help and a mistyped command need no package beyond Typer."""
    _, loaded = loaded_by(*arguments)
    assert loaded == "loaded: []"


def test_completion_of_a_command_loads_no_heavy_package():
    """Bash asks for completions on every Tab."""
    words = {"_CATALOG_COMPLETE": "complete_bash", "COMP_WORDS": "catalog find", "COMP_CWORD": "1"}
    out, loaded = loaded_by(**words)
    assert out.split() == ["find-person"]
    assert loaded == "loaded: []"


def test_the_version_is_answered_without_typer():
    """``--version`` imports the standard library only."""
    code = "import sys; from catalog.cli.main import run; run(['--version']); print('typer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_entry_names_a_command(entry):
    """The table's targets exist, and a hidden entry stays hidden."""
    command = load_command(entry)
    assert command.name == entry.name
    assert command.hidden == entry.is_hidden
    assert command.help
