"""The program starts without loading packages that the command does not need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import catalog
from catalog.cli import main
from catalog.cli.command_group import load_command
from catalog.cli.main import COMMANDS

PORTRAITS = Path(__file__).parent.parent / "fixtures"
HEAVY = (
    "numpy",
    "sqlalchemy",
    "PIL",
    "lxml",
    "boto3",
    "onnxruntime",
    "jinja2",
    "psycopg",
    "dask",
    "distributed",
    "cryptography",
    "pydantic",
)
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


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("--help",),
        ("no-such-command",),
        ("scan", "--help"),
        ("find-person", "--help"),
        ("people", "--help"),
        ("people", "list", "--help"),
        ("people", "merge", "--no-such-option"),
        ("report", "list"),
        ("watch", "--help"),
        ("settings",),
    ],
    ids=" ".join,
)
def test_no_heavy_package_is_loaded(arguments):
    """Version, help, wrong options and the settings need no package beyond Typer."""
    _, loaded = loaded_by(*arguments)
    assert loaded == "loaded: []"


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("catalog find", ["find-person"]),
        ("catalog people mer", ["merge"]),
        ("catalog report co", ["co-occurrence", "costs"]),
        ("catalog scan --max-c", ["--max-calls", "--max-cost"]),
    ],
)
def test_completion_loads_no_heavy_package(words, completions):
    """A shell asks for completions of commands, subcommands and options on every Tab."""
    index = str(len(words.split()) - 1)
    out, loaded = loaded_by(_CATALOG_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=index)
    assert out.split() == completions
    assert loaded == "loaded: []"


IMPORTS = f"""
import importlib, os, sys
import catalog.cli.command_group  # the commands share it, and Typer
for module in sys.argv[1:]:
    sys.stdout.flush()
    child = os.fork()  # so that no module sees the imports of another one
    if not child:
        importlib.import_module("catalog.cli." + module)
        print(module, *(name for name in {HEAVY!r} if name in sys.modules), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_the_module_of_a_command_loads_no_heavy_package():
    """A command loads the heavy packages when it runs, not when its module is imported."""
    modules = list(dict.fromkeys(entry.target.partition(":")[0] for entry in COMMANDS if not entry.is_hidden))
    done = subprocess.run([sys.executable, "-c", IMPORTS, *modules], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == modules, done.stderr


def test_a_list_of_people_loads_the_database_alone(tmp_path):
    """`people list` reads rows. It needs no arrays, images, XML or engine."""
    path = tmp_path / "catalog.sqlite3"
    with catalog.open(path, create=True) as opened:
        assert opened.people() == ()
    _, loaded = loaded_by("people", "list", "--database", str(path))
    assert loaded == "loaded: ['sqlalchemy']"


def test_a_scan_without_new_photos_loads_the_database_alone(tmp_path):
    """It needs no arrays, no networks and no decoder, whatever the catalogue holds."""
    photos, database = tmp_path / "photos", tmp_path / "catalog.sqlite3"
    shutil.copytree(PORTRAITS, photos)
    scan(photos, database)
    Image.new("RGB", (100, 100), (90, 120, 90)).save(photos / "meadow.png")
    arguments = ("scan", str(photos), "--database", str(database))
    counts, loaded = loaded_by(*arguments)
    assert "new" in counts
    assert "onnxruntime" in loaded
    scan(photos, database)  # finds that the steps after a scan have nothing to do
    counts, loaded = loaded_by(*arguments)
    assert "unchanged" in counts
    assert loaded == "loaded: ['sqlalchemy']"


def scan(photos: Path, database: Path) -> None:
    """Scan in this process, which has loaded the networks."""
    with catalog.open(database, create=True) as opened:
        for _ in opened.scan([photos]):
            pass


def test_a_list_of_people_loads_no_engine(tmp_path):
    """The modules of engines, photos and charges load when a command needs them."""
    path = tmp_path / "catalog.sqlite3"
    with catalog.open(path, create=True) as opened:
        assert opened.people() == ()
    code = (
        "import sys; from catalog.cli.main import run; run(sys.argv[1:]);"
        "print(*(name for name in sys.modules if name.startswith('catalog.')))"
    )
    arguments = [sys.executable, "-c", code, "people", "list", "--json", "--database", str(path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert "catalog.store.people" in loaded
    assert not {"catalog.app.engines", "catalog.domain.faces", "catalog.domain.photos"} & set(loaded)


@pytest.mark.parametrize(("word", "count"), [("list", 1), ("born", 1), ("lists", 19), ("--help", 19), (None, 19)])
def test_only_the_subcommand_that_runs_is_built(word, count):
    """Typer takes long to build twenty commands. Help and suggestions need all of them."""
    entry = next(entry for entry in COMMANDS if entry.name == "people")
    commands = load_command(entry, word).commands
    assert len(commands) == count
    assert count > 1 or list(commands) == [word]


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


def test_a_short_command_searches_for_no_garbage(tmp_path):
    """A long one does, less often than by default, and not among the modules."""
    program = """
import gc
from catalog.cli import main
run = main.run

def searches():
    return sum(generation["collections"] for generation in gc.get_stats())

def measured(arguments):
    before = searches()
    code = run(arguments)
    print(searches() - before)
    for _ in range(300_000):
        cycle = []
        cycle.append(cycle)
    print(searches() > before, gc.get_freeze_count() > 10_000, gc.get_threshold()[0])
    return code

main.run = measured
main.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, "settings"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-2:] == ["0", "True True 20000"], done.stderr


def test_a_signal_while_modules_are_loaded_is_one_sentence(monkeypatch, capsys):
    """As a signal that comes later: exit code 130 and no traceback."""

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "command_group", interrupted)
    assert main.run(["scan", "photos"]) == main.INTERRUPTED
    assert capsys.readouterr().err == "catalog: Interrupted. Finished work is kept.\n"


def test_a_signal_while_a_class_is_made_gives_the_same_exit_code(tmp_path):
    """Dataclasses run text. An interruption of it would let CPython end by the signal."""
    program = """
from catalog.cli import main

def command_group():
    exec("raise KeyboardInterrupt")

main.command_group = command_group
main.main()
"""
    (tmp_path / "interrupted.py").write_text(program)
    done = subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == main.INTERRUPTED


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_ends_no_command(tmp_path, closed):
    """A scheduler may start a program without streams."""
    path = tmp_path / "catalog.sqlite3"
    with catalog.open(path, create=True):
        pass
    command = f'"$0" -m catalog status --database "$1" {closed}'
    done = subprocess.run(["sh", "-c", command, sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, "bug" in done.stderr) == (0, False)
