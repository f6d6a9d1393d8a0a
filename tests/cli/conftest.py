"""Commands run in this process, as a shell would run them, on real portraits and an empty home folder."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalog.cli import command_group
from catalog.cli.command_group import load_command
from catalog.cli.main import CommandEntry, run
from catalog.web.endpoint_server import open_endpoint

PORTRAITS = Path(__file__).parent.parent / "fixtures"


@dataclass(frozen=True)
class Answer:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Catalog = Callable[..., Answer]


@pytest.fixture(autouse=True, scope="session")
def built_commands() -> Iterator[None]:
    """Typer builds each command once; a process of a user builds and runs one."""

    @functools.cache
    def build(entry: CommandEntry, subcommand: str | None) -> Any:
        return load_command(entry, subcommand)

    def load(entry: CommandEntry, word: str | None = None) -> Any:
        return build(entry, word if entry.target.endswith(":app") else None)  # the word chooses in a group alone

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_group, "load_command", load)
        yield


@pytest.fixture
def catalog(capfd: pytest.CaptureFixture[str]) -> Catalog:
    """Runs ``catalog ARGUMENTS...``."""

    def call(*arguments: object) -> Answer:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return call


@pytest.fixture(params=["sqlite", "postgresql"])
def on_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's catalogue, once on each database."""
    if request.param == "postgresql":
        monkeypatch.setenv("CATALOG_DATABASE_URL", request.getfixturevalue("postgresql_url"))


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    """A folder with five public-domain portraits: three of one man, one of another, one of a woman."""
    folder = tmp_path / "portraits"
    folder.mkdir()
    for photo in PORTRAITS.glob("*.jpg"):
        (folder / photo.name).write_bytes(photo.read_bytes())
    return folder


@pytest.fixture
def serving(monkeypatch):
    """Starts an endpoint that the settings lead to."""

    @contextmanager
    def start(plan=None, region="us-east-1"):
        with open_endpoint(plan=plan) as server, server.in_background() as url:
            for name, value in {
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "CATALOG_ENGINE_NAME": "rekognition",
                "CATALOG_REKOGNITION_REGION": region,
                "CATALOG_REKOGNITION_ENDPOINT_URL": url,
                "CATALOG_REKOGNITION_CALLS_PER_SECOND": "500",
            }.items():
                monkeypatch.setenv(name, value)
            yield server

    return start
