"""Values of parameters are converted as Typer converts them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from catalog.cli.command_group import CheckedCommand
from catalog.cli.plain_values import PlainValues

RECEIVED: dict[str, Any] = {}
app = typer.Typer()


class Color(StrEnum):
    """A parameter's choices."""

    RED = "red"
    BLUE = "blue"


def kilometers(text: str | float) -> float:
    return float(text.removesuffix("km")) if isinstance(text, str) else text


def receive(
    names: Annotated[list[str], typer.Argument()],
    text: Annotated[str | None, typer.Option()] = None,
    texts: Annotated[list[str] | None, typer.Option()] = None,
    number: Annotated[int | None, typer.Option(min=1)] = None,
    default: Annotated[int, typer.Option()] = 7,
    length: Annotated[float, typer.Option(parser=kilometers)] = 0,
    lengths: Annotated[list[float] | None, typer.Option(parser=kilometers)] = None,
    path: Annotated[Path | None, typer.Option()] = None,
    count: Annotated[int, typer.Option("-c", count=True)] = 0,
    is_set: Annotated[bool, typer.Option("--set")] = False,
    color: Annotated[Color, typer.Option()] = Color.RED,
    either: Annotated[bool | None, typer.Option("--either/--other")] = None,
) -> None:
    RECEIVED.update(locals())


app.command(cls=CheckedCommand)(receive)
plain = typer.Typer()
plain.command()(receive)


@pytest.mark.parametrize(
    "arguments",
    [
        "a",
        "a b --text 12 --texts x --texts y",
        "a --number 3 --length 12km --lengths 1km --lengths 2km",
        "a --path /tmp/x -cc --set --other",
        "12 --text= --default 8 --color blue",
    ],
)
def test_a_command_receives_what_typer_gives_it(arguments):
    """Also absent values, and values in the place of which Typer puts an empty list."""
    received = []
    for application in (plain, app):
        RECEIVED.clear()
        result = CliRunner().invoke(application, arguments.split())
        assert result.exit_code == 0, result.output
        received.append({name: (type(value), value) for name, value in RECEIVED.items()})
    assert received[0] == received[1]


@pytest.mark.parametrize(
    "arguments", ["a --number 0", "a --number x", "a --default 1.5", "a --length x", "a --color 1", ""]
)
def test_a_wrong_value_is_refused(arguments):
    result = CliRunner().invoke(app, arguments.split())
    assert result.exit_code == 2 or isinstance(result.exception, ValueError)


def test_another_version_of_typer_converts_its_values_itself():
    """Its parameters have no method that could be replaced."""
    parameter = SimpleNamespace(name="text")
    PlainValues.use_for([parameter])
    assert vars(parameter) == {"name": "text"}
