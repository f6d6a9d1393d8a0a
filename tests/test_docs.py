"""Docs that cannot lie: what is generated is fresh, what is linked exists, what is a command is written about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.write_docs import PAGES, command_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_fresh(name):
    """Run `python tools/write_docs.py` after changing a command or a setting."""
    assert (ROOT / "docs" / name).read_text() == PAGES[name]()


@pytest.mark.parametrize("command", command_names())
def test_every_command_is_in_the_readme(command):
    """A command that the README does not name is not there for a stranger; a report is listed by its name."""
    group, _, report = command.partition(" ")
    assert f"catalog {command}" in README or (group == "report" and f"`{report}`" in README)


def test_every_file_that_the_readme_links_to_exists():
    """No dead links."""
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
