"""Addresses of photos, and how to show them to people.

A file's uri is ``file://`` and its absolute path, percent-encoded byte by byte: file names are bytes, need not be
UTF-8, and must survive a database, JSON and a log. Only letters, digits, ``_.-~`` and the slash stand for themselves,
so that one name has one uri.
"""

# File names are bytes here, which pathlib does not take.
# ruff: noqa: PTH109, PTH118, PTH120
from __future__ import annotations

import os
from urllib.parse import quote_from_bytes, unquote_to_bytes

FILE_SCHEME = "file://"
S3_SCHEME = "s3://"

_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/"


def quote_name(name: bytes) -> str:
    """Percent-encode a name or path as it stands in a uri."""
    if not name.translate(None, _PLAIN):  # most names, and a listing has many
        return name.decode("ascii")
    return quote_from_bytes(name, safe="/")


def file_uri(path: bytes) -> str:
    """The uri of an absolute path, given in raw bytes."""
    if not path.startswith(b"/"):
        raise ValueError(f"a file's uri needs an absolute path, not {path!r}")
    return FILE_SCHEME + quote_name(path)


def file_path(uri: str) -> bytes:
    """The raw bytes of the path that a file's uri stands for."""
    if not uri.startswith(FILE_SCHEME + "/"):
        raise ValueError(f"{uri!r} is not the uri of a file")
    return unquote_to_bytes(uri[len(FILE_SCHEME) :])


def absolute_path(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> bytes:
    """A path from the root, without ``.``, ``..`` and doubled slashes; symbolic links keep their own names.

    Only a link that is followed by ``..`` is resolved, because ``link/..`` is the parent of where the link leads.
    """
    raw = os.path.join(os.getcwdb(), os.fsencode(path))
    done = b"/"
    for part in raw.split(b"/"):
        if part == b"..":
            done = os.path.dirname(os.path.realpath(done))
        elif part not in (b"", b"."):
            done = os.path.join(done, part)
    return done


def display(uri: str) -> str:
    """A uri as people read it: a file's path, or ``s3://bucket/key``; safe to print on a terminal."""
    scheme = "" if uri.startswith(FILE_SCHEME) else uri[: len(S3_SCHEME)]
    rest = uri.removeprefix(FILE_SCHEME) if not scheme else uri[len(scheme) :]
    return scheme + display_name(unquote_to_bytes(rest))


def display_name(name: bytes | str) -> str:
    r"""A name of any origin as one line that cannot steer a terminal or reorder the text around it.

    Control and invisible formatting characters, line ends and lone surrogates are shown escaped (``\n``, ``\x1b``,
    ``\u202e``), bytes that are not UTF-8 as ``\xff``, a backslash as itself: the form is for reading, not for parsing.
    """
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _HARMLESS else _escaped(char) for char in text)


_HARMLESS = "\u00a0\u202f\u3000\u200c\u200d"
"""Spaces of other widths, and the joiners that emoji and several scripts are written with: they steer nothing."""


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
