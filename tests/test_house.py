"""The house itself: layers, small files, honest imports, one command for one thing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "catalog").rglob("*.py"))
LISTS = {"vocabulary.py", "tables.py", "contract.py"}
"""Files that list nouns, tables or columns, with a word on each: they are read by looking up, and may be long."""


def test_a_room_imports_only_from_rooms_below_it():
    """import-linter's contracts in pyproject.toml hold."""
    lint = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout


def test_looking_at_the_help_loads_no_network():
    """`catalog --help` is quick: no network runtime and no AWS client is imported until a face is looked at."""
    code = "import catalog.cli.main, sys; print([m for m in ('onnxruntime', 'boto3') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_stays_small(module):
    """Each file has a docstring and, unless it is a list, at most 350 lines."""
    text = module.read_text()
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert module.name in LISTS or len(text.splitlines()) <= 350


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "manager", "misc"])
def test_no_file_is_a_junk_drawer(word):
    """Files are named after the nouns and verbs of the field."""
    assert [path for path in MODULES if word == path.stem] == []
