"""The registry is the only list of engines: no other code compares engine names."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import catalog
from catalog.engines.registry import ENGINES, FREE_ENGINE

ROOT = Path(catalog.__file__).parent
ROOMS = [ROOT / "engines" / name for name in ENGINES]
MODULES = [
    module
    for module in sorted(ROOT.rglob("*.py"))
    if module != ROOT / "engines" / "registry.py" and not any(room in module.parents for room in ROOMS)
]


def compared_names(code: str) -> list[str]:
    """Engine names that the code compares something with: ==, in, match, Literal."""
    engine_names = []
    for node in ast.walk(ast.parse(code)):
        operands: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            operands = [node.value]
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
            operands = [node.slice]
        constants = [part for operand in operands for part in ast.walk(operand) if isinstance(part, ast.Constant)]
        engine_names += [constant.value for constant in constants if constant.value in list(ENGINES)]
    return engine_names


def test_no_module_outside_an_engine_compares_engine_names():
    """Callers ask capabilities."""
    compared = {str(module.relative_to(ROOT)): compared_names(module.read_text("utf-8")) for module in MODULES}
    assert len(compared) > 300
    assert {module: engine_names for module, engine_names in compared.items() if engine_names} == {}


@pytest.mark.parametrize(
    "code",
    [
        'name == "local"',
        'name in ("local", "other")',
        'match name:\n    case "rekognition": pass',
        'x: Literal["local"]',
    ],
)
def test_comparisons_are_recognized(code):
    """The test above can fail."""
    assert compared_names(code) != []


def test_no_query_of_a_report_names_an_engine():
    """SQL is code too."""
    named = [path for path in ROOT.rglob("*.sql") for name in ENGINES if f"'{name}'" in path.read_text()]
    assert named == []


def test_each_engine_is_registered_under_its_name():
    """The options are frozen; the prefilter's engine is free and needs no gallery."""
    for name, spec in ENGINES.items():
        assert spec.name == name
        assert spec.options.__dataclass_params__.frozen
        assert all(field.init for field in fields(spec.options))
    assert not FREE_ENGINE.capabilities(FREE_ENGINE.options()).is_paid
    assert FREE_ENGINE.open_without_gallery is not None


def test_specs_load_nothing_heavy():
    """Settings and help texts need the specs, and must not wait for networks, SQL or AWS."""
    code = (
        "import sys, catalog.engines.local.spec, catalog.engines.rekognition.spec\n"
        "print([m for m in ('numpy', 'sqlalchemy', 'PIL', 'boto3', 'onnxruntime') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
