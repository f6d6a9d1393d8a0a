"""The architecture: layers, small documented modules, tests that can be read by themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "catalog").rglob("*.py"))
LONGEST = 350


def test_a_package_imports_only_from_layers_below_it():
    """The contracts of import-linter in pyproject.toml hold."""
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_module_has_a_docstring():
    """A docstring says what the module is for."""
    assert [str(module) for module in MODULES if not ast.get_docstring(ast.parse(module.read_text()))] == []


def test_modules_are_small():
    """A module has at most 350 lines."""
    lengths = {str(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "manager", "misc"])
def test_a_module_is_named_after_its_subject(word):
    """No module has a name that fits any content."""
    assert [path for path in MODULES if word == path.stem] == []


def test_no_test_imports_from_a_test_module():
    """Shared functions are in conftest.py or in a support module, so that a test module can be read by itself."""
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom):
                modules += [f"{node.module}.{alias.name}" for alias in node.names]
            wrong += [
                f"{path.relative_to(ROOT)}: {module}"
                for module in modules
                if module.startswith("tests.") and any(part.startswith("test_") for part in module.split("."))
            ]
    assert sorted(set(wrong)) == []
