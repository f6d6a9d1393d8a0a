"""The keys below a prefix, folder by folder, with exclusion rules.

A listing of S3 is one sorted stream of keys. Files that hold rules for a folder, such as ``.nomedia``, may come after
other keys of that folder, because ``!``, ``#``, ``$``, ``(``, ``+`` and ``-`` sort before the dot. So the first keys of
each folder are kept until the names of such files are passed. Folders that are left out are skipped, if possible
without listing them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from catalog.sources.exclusions import RULE_FILES, Exclusions, FolderRules

S3Object = Mapping[str, Any]
"""One entry of ListObjectsV2."""

ListPage = Callable[[str], tuple[Sequence[S3Object], bool]]
"""Lists one page of keys after a key (empty: from the start); the objects, and whether more pages follow."""

ReadObject = Callable[[str, int], bytes]
"""Reads at most so many bytes of an object; empty if it cannot be read."""

_AFTER_MARKERS = "/"
"""Names of a folder from this character on sort after every file that begins with a dot."""


class KeyStream:
    """The objects of a listing in ascending order of their keys, with look-ahead."""

    def __init__(self, list_page: ListPage) -> None:
        self._list_page = list_page
        self._objects: deque[S3Object] = deque()
        self._last = ""
        self._has_more = True

    def peek(self) -> S3Object | None:
        while not self._objects and self._has_more:
            page, self._has_more = self._list_page(self._last)
            self._objects.extend(page)
            if page:
                self._last = str(page[-1]["Key"])
        return self._objects[0] if self._objects else None

    def take(self) -> S3Object:
        return self._objects.popleft()

    def push_back(self, objects: list[S3Object]) -> None:
        self._objects.extendleft(reversed(objects))

    def skip(self, prefix: str) -> None:
        """Skip all keys that begin with ``prefix``, which ends in a slash."""
        while self._objects and str(self._objects[0]["Key"]).startswith(prefix):
            self._objects.popleft()
        if not self._objects and self._has_more:
            # "0" follows "/": no key below the prefix sorts after this one.
            self._last = max(self._last, prefix[:-1] + "/\U0010ffff")


def list_keys(
    stream: KeyStream, prefix: str, exclusions: Exclusions, read: ReadObject
) -> Iterator[tuple[S3Object | str, str | None]]:
    """Objects below ``prefix`` in ascending order, each with None or the rule that leaves it out.

    A folder that is left out is its prefix instead of an object. Files that hold rules are not listed.
    """
    names = _first_names(stream, prefix)
    name = prefix.rstrip("/").rpartition("/")[2].encode("utf-8")
    yield from _list_folder(stream, prefix, exclusions.enter_root(names, _reader(read, prefix), name), read)


def _list_folder(
    stream: KeyStream, prefix: str, rules: FolderRules, read: ReadObject
) -> Iterator[tuple[S3Object | str, str | None]]:
    while (item := stream.peek()) is not None:
        key = str(item["Key"])
        if not key.startswith(prefix):
            return
        name, slash, _ = key[len(prefix) :].partition("/")
        raw = name.encode("utf-8")
        if not slash:
            stream.take()
            if raw and raw not in RULE_FILES:  # the key of a folder itself has no name
                yield item, rules.rule_for_file(raw)
            continue
        folder = f"{prefix}{name}/"
        rule = rules.rule_for_folder(raw)
        if rule is None:
            entered = rules.enter(raw, _first_names(stream, folder), _reader(read, folder))
            if not isinstance(entered, str):
                yield from _list_folder(stream, folder, entered, read)
                continue
            rule = entered
        stream.skip(folder)
        yield folder, rule


def _first_names(stream: KeyStream, prefix: str) -> set[bytes]:
    """Names in a folder up to the last one that begins with a dot; the objects stay in the stream."""
    passed: list[S3Object] = []
    names: set[bytes] = set()
    while (item := stream.peek()) is not None:
        key = str(item["Key"])
        if not key.startswith(prefix) or key[len(prefix) : len(prefix) + 1] >= _AFTER_MARKERS:
            break
        names.add(key[len(prefix) :].partition("/")[0].encode("utf-8"))
        passed.append(stream.take())
    stream.push_back(passed)
    return names


def _reader(read: ReadObject, prefix: str) -> Callable[[bytes, int], bytes]:
    def read_name(name: bytes, size: int) -> bytes:
        return read(prefix + name.decode("utf-8"), size)

    return read_name
