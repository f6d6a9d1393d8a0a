"""The project's language: one word for one thing, plain sentences, names that are nouns.

The words are those of docs/glossary.md. A list of exceptions states the reason of each entry, and only becomes shorter.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from inspect import cleandoc
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("catalog", "tests", "tools", "examples")
PYTHON = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "versions" not in path.parts)
SUFFIXES = {".md", ".sql", ".html", ".toml"}
DOCUMENTS = sorted(
    path
    for path in [
        *ROOT.glob("*.*"),
        *(path for name in ("docs", "catalog", "config") for path in (ROOT / name).rglob("*")),
    ]
    if path.suffix in SUFFIXES and path.name not in {"CHANGELOG.md", "glossary.md"}
)
HERE = Path(__file__)

NAMES = {
    *("each", "some", "at", "told", "held", "said", "given", "found", "there", "here", "fresh", "gone", "made"),
    *("whom", "whoever", "alike", "mine", "theirs", "spoken", "heard", "asked"),
}
"""Names that say nothing of the thing: participles, pronouns and particles."""

SYNONYMS = {
    r"(some|no|any|every)body('s)?|(some|any)one('s)?|who(ever|m|mever|soever)": "the thing that acts: the scan",
    r"corridor": "scan",
    r"graves?|bur(y|ied|ies)": "tombstone, purge",
    r"ledger": "decision log, charge log",
    r"rosters?": "face table",
    r"camps?": "separation group",
    r"sightings?": "photo task",
    r"spoken for": "protected person",
    r"(told|held|tell|tells|keep|kept) apart": "separate",
    r"likeness": "similarity",
    r"founders?": "seed face",
    r"owed|debts?": "pending removal",
    r"unclaimed": "unreported charge",
    r"lost company|changed company|in(to)? company|share company": "churn, co-occurrence, cluster",
    r"spared": "skipped by prefilter",
    r"relabel\w*": "labels file",
    r"teachable|taught (persons?|people|users?)": "user vector",
    r"vanish\w*": "missing",
    r"heirs?|successors?": "edited photo",
    r"assets?|fingerprints?": "photo, content hash",
    r"known faces?": "enrolled face",
    r"edge lists?": "neighbor search",
    r"cut-?offs?": "threshold",
    r"purchases?|bought": "charge",
    r"keepers?|anchors?": "canonical person, exemplar",
    r"bonds": "must-link, cannot-link",
    r"who is who": "assignment of people",
    r"the house|rooms? of the house": "architecture, package",
}
"""Banned synonyms of the glossary, each with the word to use."""

FROZEN_TEXTS = {
    "persons whom `catalog verify` verifies": "a comment of a database table changes by a migration only",
    "Persons whom `catalog verify` verifies.": "generated from the comment of the table",
}
"""Texts with a banned word that cannot change, each with the reason."""

SAME_STEMS = {
    *("engine", "spec", "tables", "database", "errors", "faces", "people", "photos", "charges", "user_vectors"),
    *("__init__", "__main__"),
}
"""Module names that two packages may share, besides those that carry the name of a command."""

LONGEST_SENTENCE = 40
"""Words of a sentence in a docstring. The aim is 25."""


@dataclass(frozen=True)
class Words:
    """Lines and texts of a module. ``names`` are those of functions, arguments and variables."""

    names: list[tuple[int, str]]
    strings: list[tuple[int, str]]
    docstrings: list[tuple[int, str]]
    classes: list[str]


@cache
def words(path: Path) -> Words:
    """Read a module once. ``strings`` has docstrings, comments and messages; ``classes`` are the public ones."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    result = Words([], [], [], classes)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                result.names.append((node.lineno, node.id))
        elif isinstance(node, ast.arg):
            result.names.append((node.lineno, node.arg))
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and " " in node.value.strip():
                result.strings.append((node.lineno, node.value))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                result.names.append((node.lineno, node.name))
            result.docstrings.extend(bare_strings(node.body))
    for line, text in enumerate(source.splitlines(), 1):
        if " # " in f" {text}":
            result.strings.append((line, text.partition("# ")[2]))
    return result


def bare_strings(body: list[ast.stmt]) -> Iterator[tuple[int, str]]:
    """Docstrings of a module, class or function, and of the names in it."""
    for statement in body:
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield statement.lineno, value.value


@cache
def prose() -> tuple[tuple[Path, int, str], ...]:
    """Path, line and text of all docstrings, comments, messages, and lines of documents."""
    code = [(path, line, text) for path in PYTHON if path != HERE for line, text in words(path).strings]
    documents = [
        (path, line, text)
        for path in DOCUMENTS
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]
    return (*code, *documents)


def shown(path: Path, line: int, text: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {' '.join(text.split())}"


def test_a_name_is_a_noun_of_the_glossary():
    """No variable, argument or function has a name such as `told`."""
    wrong = [shown(path, line, name) for path in PYTHON for line, name in words(path).names if name.strip("_") in NAMES]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pattern", SYNONYMS, ids=lambda pattern: SYNONYMS[pattern].split(",")[0])
def test_a_banned_synonym_is_not_used(pattern):
    """Docstrings, comments, messages and documents use the word of the glossary."""
    banned = re.compile(rf"(?<![\w`\"'/.-])({pattern})(?![\w`\"'/.-]*[`\"'(=])\b", re.IGNORECASE)
    wrong = [
        shown(path, line, match[0])
        for path, line, text in prose()
        if text not in FROZEN_TEXTS and (match := banned.search(text))
    ]
    assert not wrong, "\n".join([f"use: {SYNONYMS[pattern]}", *wrong])


def test_a_public_class_name_is_used_once():
    """A reader who searches a class name finds one class."""
    modules = defaultdict(list)
    for path in (path for path in PYTHON if path.is_relative_to(ROOT / "catalog")):
        for name in words(path).classes:
            modules[name].append(str(path.relative_to(ROOT)))
    twice = {name: paths for name, paths in modules.items() if len(paths) > 1}
    assert twice == {}


def test_a_module_name_is_used_once():
    """Two modules share a name only where one carries a command's name, or where packages are parallel on purpose."""
    modules = defaultdict(list)
    for path in (path for path in PYTHON if path.is_relative_to(ROOT / "catalog")):
        if path.parent.name != "cli":
            modules[path.stem].append(str(path.relative_to(ROOT)))
    twice = {stem: paths for stem, paths in modules.items() if len(paths) > 1 and stem not in SAME_STEMS}
    assert twice == {}


def test_a_sentence_of_a_docstring_has_at_most_forty_words():
    """Long sentences are split. Indented blocks, such as commands, do not count."""
    wrong = []
    for path in PYTHON:
        for line, text in words(path).docstrings:
            unindented = "\n".join(row for row in cleandoc(text).splitlines() if not row.startswith("    "))
            for paragraph in re.split(r"\n\s*\n|\n\s*[-*] |::|\|", unindented):
                sentences = re.split(r"(?<=[.!?;:])\s", paragraph)
                long = [sentence for sentence in sentences if len(sentence.split()) > LONGEST_SENTENCE]
                wrong += [shown(path, line, sentence)[:160] for sentence in long]
    assert not wrong, "\n".join(wrong)
