"""Generated pages match their sources, links lead to files, and the README names every command."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.write_docs import PAGES, command_names
from tools.write_man import man_pages

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
LINKING = sorted(page.relative_to(ROOT) for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_fresh(name):
    """Run `python -m tools.write_docs` after changing a command or a setting."""
    assert (ROOT / "docs" / name).read_text() == PAGES[name]()


def test_the_manual_pages_match_the_commands():
    """Run `python -m tools.write_docs` after changing a command."""
    assert {path.name: path.read_text() for path in (ROOT / "docs" / "man").glob("*.1")} == man_pages()


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_pages_are_valid_roff():
    """Groff formats each page without a warning."""
    for path in sorted((ROOT / "docs" / "man").glob("*.1")):
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww", "-z", path], capture_output=True, text=True, check=True
        )
        assert done.stderr == "", path.name


def test_every_command_is_in_the_readme():
    """A new user finds every command. A report is listed by its name."""
    commands = command_names()
    assert len(commands) > 50
    missing = [command for command in commands if f"catalog {command}" not in README]
    assert [command for command in missing if not _is_listed_report(command)] == []


def _is_listed_report(command: str) -> bool:
    group, _, report = command.partition(" ")
    return group == "report" and f"`{report}`" in README


@pytest.mark.parametrize("page", LINKING, ids=str)
def test_every_file_that_a_page_links_to_exists(page):
    """Relative to the page in the repository, as other sites show it; the documentation site has its own addresses."""
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [
        link for link in re.findall(r"\]\(([^)\s#]+)", text) if "://" not in link and not link.startswith("mailto:")
    ]
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []
