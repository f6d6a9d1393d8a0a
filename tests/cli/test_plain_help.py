"""Usage lines and help texts name parameters in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from catalog.cli.main import COMMANDS, run

Help = Callable[..., str]


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str]) -> Help:
    def read(*command: str) -> str:
        assert run([*command, "--help"]) == 0
        return capsys.readouterr().out

    return read


@pytest.mark.parametrize("name", [entry.name for entry in COMMANDS])
def test_no_command_shows_types_of_python(name: str, help_of: Help) -> None:
    """A group is asked for the help of each of its commands, too."""
    page = help_of(name)
    children = re.findall(r"^  ([a-z]\S+)", page.partition("Commands:")[2], flags=re.MULTILINE)
    for text in (page, *(help_of(name, child) for child in children)):
        assert not re.search(r"<|{|\bint\b|\bfloat\b|list\[", text), text


def test_arguments_stand_alone(help_of: Help) -> None:
    """A repeated argument ends with three points. An argument that may be absent is in brackets."""
    scan = help_of("scan")
    assert scan.startswith("Usage: catalog scan [OPTIONS] SOURCE...\n")
    assert re.search(r"^  SOURCE  Folders", scan, flags=re.MULTILINE)
    assert help_of("check").startswith("Usage: catalog check [OPTIONS] [SOURCE]...\n")
    assert help_of("people", "merge").startswith("Usage: catalog people merge [OPTIONS] PERSON PERSON...\n")


def test_options_name_the_kind_of_their_value(help_of: Help) -> None:
    """Numbers, paths and texts have one word each. Choices are listed."""
    words = " ".join(help_of("scan").split())
    assert "--limit NUMBER Read at most this many photos. [at least 1]" in words
    assert "--workers NUMBER Photos processed at the same time. [1 to 256]" in words
    assert "--engine NAME" in words
    assert "--fail-on churn|conflicts|hits" in words
