"""Commands run in this process, as a shell would run them, on real portraits and an empty home folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catalog.cli.main import run

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


@pytest.fixture
def catalog(capfd: pytest.CaptureFixture[str]) -> Catalog:
    """Runs ``catalog ARGUMENTS...``."""

    def call(*arguments: object) -> Answer:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return call


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    """A folder with five public-domain portraits: three of one man, one of another, one of a woman."""
    folder = tmp_path / "portraits"
    folder.mkdir()
    for photo in PORTRAITS.glob("*.jpg"):
        (folder / photo.name).write_bytes(photo.read_bytes())
    return folder
