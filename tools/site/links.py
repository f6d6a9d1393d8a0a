"""Hooks of mkdocs: pages of the repository outside docs/ join the site, and their links lead to pages of the site.

mkdocs calls ``on_files`` once and ``on_page_markdown`` for each page (https://www.mkdocs.org/user-guide/configuration/#hooks).
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "catalog/engines/local/weights/MODELS.md": "models.md",
}
"""Pages from outside docs/, by their path in the repository."""

SOURCES = {page: source for source, page in PAGES.items()}

LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s#]*)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the pages from outside docs/, and each other file that a page links to."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for source in sorted(_linked_files(files)):
        files.append(File.generated(config, f"files/{source}", content=(ROOT / source).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Rewrite each link between files of the repository as a link between pages of the site."""
    page_path = PurePosixPath(page.file.src_uri)

    def rewritten(match: re.Match[str]) -> str:
        label, link, anchor = match[1], match[2], match[3] or ""
        if not link or "://" in link or link.startswith("mailto:"):
            return match[0]
        source = _source(page_path.as_posix(), link)
        if (ROOT / source).is_dir():
            return f"{label[1:-1]} (`{source}`)"
        return f"{label}({os.path.relpath(_page(source), page_path.parent)}{anchor})"

    return LINK.sub(rewritten, markdown)


def _linked_files(files: Files) -> set[str]:
    """Paths of linked files that are not pages and not below docs/."""
    linked = set()
    for file in files.documentation_pages():
        for match in LINK.finditer(file.content_string):
            if match[2] and "://" not in match[2] and not match[2].startswith("mailto:"):
                source = _source(file.src_uri, match[2])
                if not source.startswith("docs/") and source not in PAGES and (ROOT / source).is_file():
                    linked.add(source)
    return linked


def _source(page: str, link: str) -> str:
    """The path in the repository that a link on a page of the site means."""
    source = PurePosixPath(SOURCES.get(page, f"docs/{page}"))
    return os.path.normpath(source.parent / link)


def _page(source: str) -> str:
    """The path on the site of a file of the repository."""
    if source in PAGES:
        return PAGES[source]
    return source.removeprefix("docs/") if source.startswith("docs/") else f"files/{source}"
