"""Keys folder by folder: rules are known before the keys of their folder, and left out folders are skipped."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from catalog.sources.exclusions import Exclusions
from catalog.sources.s3_listing import KeyStream, S3Object, list_keys

PAGE = 3


class Bucket:
    """Keys in memory, listed in pages."""

    def __init__(self, *keys: str, **contents: bytes) -> None:
        self.keys = sorted(keys)
        self.prefix = ""
        self.contents = contents
        self.pages: list[str] = []

    def list_page(self, after: str) -> tuple[Sequence[S3Object], bool]:
        self.pages.append(after)
        keys = [key for key in self.keys if key > after and key.startswith(self.prefix)]
        return [{"Key": key} for key in keys[:PAGE]], len(keys) > PAGE

    def read(self, key: str, size: int) -> bytes:
        return self.contents.get(key, b"")[:size]

    def listed(self, prefix: str = "", *patterns: str) -> list[str]:
        """Keys without a rule, and folders and keys with one in parentheses."""
        self.prefix = prefix
        items = list_keys(KeyStream(self.list_page), prefix, Exclusions(patterns), self.read)
        keys = [(item if isinstance(item, str) else str(item["Key"]), rule) for item, rule in items]
        return [key if rule is None else f"({key})" for key, rule in keys]


@pytest.mark.parametrize("first", ["!", "#", "$", "(", "+", "-"])
def test_a_marker_holds_for_keys_before_it(first: str) -> None:
    """Such names sort before the dot of ``.nomedia``, as keys or as folders."""
    bucket = Bucket(f"x/{first}a.jpg", f"x/{first}b/c.jpg", "x/.nomedia", "x/z.jpg", "y.jpg")
    assert bucket.listed() == ["(x/)", "y.jpg"]


def test_keys_stay_in_order() -> None:
    """Also those of folders that begin with a sign."""
    keys = ("!/a.jpg", "#b.jpg", ".c/d.jpg", "a-/e.jpg", "a.jpg", "a/!f.jpg", "a/g.jpg", "a0.jpg")
    assert Bucket(*keys).listed() == sorted(keys)


def test_a_left_out_folder_is_skipped_without_its_pages() -> None:
    """The next page begins after the folder."""
    bucket = Bucket("a.jpg", *(f"b/@eaDir/{number:03}.jpg" for number in range(200)), "b/z.jpg")
    assert bucket.listed() == ["a.jpg", "(b/@eaDir/)", "b/z.jpg"]
    assert len(bucket.pages) <= 3


def test_ignore_files_of_a_prefix_hold_below_it() -> None:
    contents = {"p/.catalogignore": b"/private/\n", "p/q/.ppignore": b"*.png\n"}
    keys = (*contents, "p/private/a.jpg", "p/q/a.png", "p/q/b.jpg", "p/q/private/c.jpg", "other/private/d.jpg")
    assert Bucket(*keys, **contents).listed("p/") == ["(p/private/)", "(p/q/a.png)", "p/q/b.jpg", "p/q/private/c.jpg"]


def test_patterns_are_relative_to_the_prefix() -> None:
    assert Bucket("p/a.jpg", "p/p/b.jpg").listed("p/", "/p/") == ["p/a.jpg", "(p/p/)"]
