"""The programs in examples/ and the README's example run on real portraits; mypy accepts all of them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples"
PORTRAITS = ROOT / "tests" / "fixtures"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five portraits of three people, taken in two months."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, portrait in enumerate(sorted(PORTRAITS.glob("*.jpg"))):
        exif = Image.Exif()
        exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = f"2012:0{number % 2 + 5}:15 12:00:00"
        with Image.open(portrait) as image:
            image.save(folder / portrait.name, quality=95, exif=exif)
    return folder


def run(*arguments: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """One Python program, with the package of this checkout."""
    code = "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); sys.argv.pop(0); "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-c", code, ROOT, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_examples_run(photos, tmp_path):
    """Scan a folder, find a person, and print the monthly expressions."""
    database = tmp_path / "catalog.sqlite3"
    scanned = run(EXAMPLES / "scan_folder.py", database, photos)
    assert (scanned.returncode, scanned.stderr) == (0, "")
    assert "5 photos, 5 faces, 3 new persons" in scanned.stdout
    assert "3 faces on 3 photos" in scanned.stdout
    matched = run(EXAMPLES / "find_person.py", database, PORTRAITS / "obama_1.jpg")
    assert (matched.returncode, matched.stderr) == (0, "")
    assert {f"obama_{number}.jpg" for number in (1, 2, 3)} == set(re.findall(r"obama_\d\.jpg", matched.stdout))
    table = run(EXAMPLES / "monthly_expressions.py", database)
    assert (table.returncode, table.stderr) == (0, "")
    assert "2012-05" in table.stdout
    assert "2012-06" in table.stdout


def test_an_example_ends_with_the_exit_code_of_its_error(tmp_path):
    """A missing catalogue is exit code 6, with a sentence and no traceback."""
    answer = run(EXAMPLES / "find_person.py", tmp_path / "none.sqlite3", PORTRAITS / "biden.jpg")
    assert (answer.returncode, "Traceback" in answer.stderr) == (6, False)


def test_the_example_of_the_readme_runs(photos, guarded_home, tmp_path):
    """The code under "From Python", with photos in ~/Pictures and a reference photo."""
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    program = tmp_path / "example.py"
    program.write_text(block)
    photos.rename(guarded_home / "Pictures")
    (tmp_path / "ref.jpg").write_bytes((PORTRAITS / "obama_1.jpg").read_bytes())
    answer = run(program, folder=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.count("new") == 5
    assert len(re.findall(r"obama_\d\.jpg \d", answer.stdout)) == 3


MYPY = """
[mypy]
strict = True
incremental = False
follow_imports = skip
[mypy-catalog,catalog.*]
follow_imports = silent
[mypy-numpy.*]
follow_imports_for_stubs = True
"""
"""Mypy reads the package and the programs, not the packages that they import: no public type is one of those."""


def test_mypy_accepts_a_program_that_uses_the_api(tmp_path):
    """`mypy --strict` on the two examples without pandas: py.typed and the lazy names are seen."""
    program = tmp_path / "program.py"
    program.write_text(
        "import catalog\n"
        "def names(database: str) -> list[str | None]:\n"
        "    with catalog.open(database, settings={'engine.name': 'local'}) as opened:\n"
        "        number: int = opened.decisions.name('p1', 'Ann')\n"
        "        summary: catalog.ScanSummary = opened.scan(['x']).summary\n"
        "        wrong: str = summary.faces\n"
        "        return [person.name for person in opened.people(named=True)]\n"
    )
    settings = tmp_path / "mypy.ini"
    settings.write_text(MYPY)
    files = [EXAMPLES / "scan_folder.py", EXAMPLES / "find_person.py", program]
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", settings, *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in answer.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1, answer.stdout
    assert 'Incompatible types in assignment (expression has type "int", variable has type "str")' in errors[0]
