"""Ignore files: ``.catalogignore`` and patterns of the user in Git's syntax, ``.ppignore`` in PhotoPrism's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAX_BYTES = 256 * 1024
"""Bytes of an ignore file that are read."""

_MAX_LINE = 2000


class Matcher(Protocol):
    """Rules of one file or of the user. Paths are relative to its folder; the path of a folder ends in a slash."""

    def match(self, path: str) -> tuple[bool, str] | None:
        """The last rule that matches: whether it leaves out, and its text. None if no rule matches."""


@cache
def _git_ignore_spec() -> type[GitIgnoreSpec]:
    # 31 modules, which a scan without patterns does not need.
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec


class GitPatterns:
    """Patterns with Git's semantics: the last match wins, and ``!`` takes back."""

    def __init__(self, patterns: Sequence[str], origin: str) -> None:
        """Raise ValueError for a pattern that Git's syntax does not allow."""
        self._patterns = list(patterns)
        self._origin = origin
        self._spec = _git_ignore_spec().from_lines(self._patterns)

    @classmethod
    def of_file(cls, data: bytes, origin: str) -> GitPatterns:
        """The patterns of an ignore file. Lines that cannot be used are ignored, as Git does."""
        usable = []
        for line in data[:MAX_BYTES].decode("utf-8", "surrogateescape").removeprefix("\ufeff").splitlines():
            if len(line) <= _MAX_LINE:
                try:
                    _git_ignore_spec().from_lines([line])
                except ValueError:
                    continue
                usable.append(line)
        return cls(usable, origin)

    def match(self, path: str) -> tuple[bool, str] | None:
        result = self._spec.check_file(path)
        if result.include is None or result.index is None:
            return None
        return result.include, f"{self._origin}: {self._patterns[result.index].strip()}"


@dataclass(frozen=True, slots=True)
class PhotoPrismPatterns:
    """Patterns of a ``.ppignore``: one a line, without case and without ``!``; a comment needs ``# `` with a blank."""

    patterns: tuple[tuple[re.Pattern[str], bool, str], ...]

    @classmethod
    def of_file(cls, data: bytes) -> PhotoPrismPatterns:
        patterns = []
        for line in data[:MAX_BYTES].decode("utf-8", "surrogateescape").removeprefix("\ufeff").splitlines():
            text = line.strip().strip("/")
            if text and not line.startswith("# ") and len(text) <= _MAX_LINE:
                patterns.append((_translated(text), "/" in text, text))
        return cls(tuple(patterns))

    def match(self, path: str) -> tuple[bool, str] | None:
        path = path.rstrip("/")
        name = path.rpartition("/")[2]
        for pattern, has_slash, text in self.patterns:
            if pattern.fullmatch(path if has_slash else name):
                return True, f".ppignore: {text}"
        return None


def _translated(pattern: str) -> re.Pattern[str]:
    """``*`` and ``?`` stay within one path component; ``[...]`` is a set of characters."""
    parts: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*":
            if parts[-1:] != ["[^/]*"]:
                parts.append("[^/]*")
        elif char == "?":
            parts.append("[^/]")
        elif char == "[" and (end := pattern.find("]", index + 1)) > 0:
            body = pattern[index:end].replace("\\", "\\\\").replace("[", "\\[").replace("&&", "&\\&")
            parts.append(f"[{'^' + body[1:] if body[:1] in '!^' else body}]")
            index = end + 1
        else:
            parts.append(re.escape(char))
    try:
        return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
    except re.error:  # a range such as [z-a]
        return re.compile(re.escape(pattern), re.IGNORECASE)
