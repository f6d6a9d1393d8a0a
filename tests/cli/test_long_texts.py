"""Long texts of a user are not echoed whole: the message stays readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.domain.errors import CatalogError, shortened
from tests.cli.conftest import Catalog

LONG = "9" * 5_000
WORDS = "so long " * 1_000


COMMANDS = (
    ("dates", "set", "{folder}", "{text}"),
    ("dates", "shift", "{folder}", "{text}"),
    ("dates", "stack", "{folder}", "1948", "{text}"),
    ("dates", "show", "{text}"),
    ("dates", "refresh", "{text}"),
    ("stacks", "part", "{text}"),
    ("stacks", "join", "{text}", "{text}"),
    ("people", "name", "{text}", "Ann"),
    ("people", "show", "{text}"),
    ("people", "birth-date", "{text}", "{text}"),
    ("find-person", "--person", "{text}"),
    ("find-person", "--person", "Ann", "--since", "{text}"),
    ("report", "{text}"),
    ("report", "people", "--since", "{text}"),
    ("report", "people", "--{text}"),
    ("explain", "{text}"),
    ("watch", "remove", "{text}"),
    ("sources", "remove", "{text}"),
    ("scan", "{text}"),
    ("scan", "{folder}", "--exclude", "{text}\\"),
    ("people", "list", "--format", "{text}"),
    ("sql", "{text}"),
    ("sql", "SELECT {text} FROM"),
    ("import", "csv", "{text}"),
    ("export", "album", "{text}", "--copy-to", "{folder}/x"),
    ("{text}",),
)


@pytest.mark.parametrize("text", [LONG, WORDS, f'{LONG}"{LONG}', "ö" * 5_000], ids=["word", "words", "quote", "umlaut"])
def test_a_message_has_a_length(catalog: Catalog, tmp_path: Path, text: str) -> None:
    """Of every command that quotes what the user typed."""
    folder = tmp_path / "album"
    folder.mkdir()
    assert catalog("scan", folder).code == 0
    for command in COMMANDS:
        answer = catalog(*(part.format(folder=folder, text=text) for part in command))
        assert answer.code not in (0, 1), command
        assert 10 < len(answer.err) < 3_500, command


def test_only_long_parts_of_a_message_are_cut() -> None:
    """Names of usual length, and several lines, stay."""
    message = 'The file "/photos/2019/a name.jpg" cannot be read.\nSecond line.'
    assert str(CatalogError(message)) == message
    long = str(CatalogError(f'The file "{LONG}" and "b" fail.', remedy=f"Do not use {LONG}."))
    assert long.startswith('The file "999')
    assert long.endswith('" and "b" fail.')
    assert shortened("x " * 10_000).count("x") < 1_200
