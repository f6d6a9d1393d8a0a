"""Addresses of photos, and their form for display.

The uri of a file is ``file://`` and its absolute path, percent-encoded byte by byte. File names are bytes, need not be
UTF-8, and must pass unchanged through a database, JSON and a log. Only letters, digits, ``_.-~`` and the slash are not
encoded, so that one name has one uri.
"""

# File names are bytes here, which pathlib does not take.
# ruff: noqa: PTH109, PTH118, PTH120
from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import quote_from_bytes, unquote_to_bytes

FILE_SCHEME = "file://"
S3_SCHEME = "s3://"

_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/"


def quote_name(name: bytes) -> str:
    """Percent-encode a name or path for a uri."""
    if not name.translate(None, _PLAIN):  # fast path for most names
        return name.decode("ascii")
    return quote_from_bytes(name, safe="/")


def quote_names(names: Sequence[bytes]) -> list[str]:
    """Percent-encode many names without a NUL byte, as :func:`quote_name` does one by one."""
    joined = b"\0".join(names)
    rest = joined.translate(None, _PLAIN)
    if names and len(rest) == len(names) - 1:  # fast path: the separators alone are left
        return joined.decode("ascii").split("\0")
    return [quote_name(name) for name in names]


def file_uri(path: bytes) -> str:
    """Uri of an absolute path in raw bytes."""
    if not path.startswith(b"/"):
        raise ValueError(f"a file's uri needs an absolute path, not {path!r}")
    return FILE_SCHEME + quote_name(path)


def file_path(uri: str) -> bytes:
    """Path in raw bytes of a file's uri."""
    if not uri.startswith(FILE_SCHEME + "/"):
        raise ValueError(f"{uri!r} is not the uri of a file")
    return unquote_to_bytes(uri[len(FILE_SCHEME) :])


def entry_name(uri: str) -> bytes:
    """The last component of a uri in raw bytes; empty for a folder."""
    return unquote_to_bytes(uri.rpartition("/")[2])


def absolute_path(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> bytes:
    """Absolute path without ``.``, ``..`` and doubled slashes. Symbolic links are not resolved.

    Only a link before ``..`` is resolved, because ``link/..`` is the parent of the link's target.
    """
    raw = os.path.join(os.getcwdb(), os.fsencode(path))
    absolute = b"/"
    for part in raw.split(b"/"):
        if part == b"..":
            absolute = os.path.dirname(os.path.realpath(absolute))
        elif part not in (b"", b"."):
            absolute = os.path.join(absolute, part)
    return absolute


def display(uri: str) -> str:
    """A uri for display: the path of a file, or ``s3://bucket/key``. Safe to print on a terminal."""
    scheme = "" if uri.startswith(FILE_SCHEME) else uri[: len(S3_SCHEME)]
    rest = uri.removeprefix(FILE_SCHEME) if not scheme else uri[len(scheme) :]
    return scheme + display_name(unquote_to_bytes(rest))


def display_name(name: bytes | str) -> str:
    r"""A name of any origin as one line that cannot control a terminal or reorder the text around it.

    Control and invisible formatting characters, line ends and lone surrogates are escaped (``\n``, ``\x1b``,
    ``\u202e``), bytes that are not UTF-8 are written as ``\xff``, a backslash stays. The form cannot be parsed back.
    """
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _HARMLESS else _escaped(char) for char in text)


_HARMLESS = "\u00a0\u202f\u3000\u200c\u200d"
"""Spaces of other widths, and the joiners of emoji and several scripts: harmless on a terminal."""


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
