"""The wheel is the whole product: code, migrations, settings, weights and reports, and it runs from anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `make wheel` does, and unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    builder = Path(sys.executable).with_name("hatchling")
    subprocess.run([builder, "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.mark.parametrize(
    "name",
    [
        "catalog/migrations/env.py",
        "catalog/migrations/versions/0001_first_release.py",
        "catalog/config/default.toml",
        "catalog/engines/local/weights/yunet.onnx",
        "catalog/engines/local/weights/sface.onnx",
        "catalog/engines/local/weights/MODELS.md",
        "catalog/reports/queries/people.sql",
    ],
)
def test_the_wheel_holds_what_is_no_code(wheel, name):
    """Data files are inside the package."""
    assert (wheel / name).is_file()


def test_the_wheel_can_scan_from_an_empty_folder(wheel, tmp_path, guarded_home):
    """With nothing of the checkout in reach, `catalog scan` finds the faces."""
    program = "import sys; from catalog.cli.main import main; sys.argv[0] = 'catalog'; main()"
    answer = subprocess.run(
        [sys.executable, "-P", "-c", program, "scan", str(ROOT / "tests" / "fixtures"), "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout.splitlines()[-1])
    assert (summary["new"], summary["faces"]) == (5, 5)
