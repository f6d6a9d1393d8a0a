"""The errors of folders that cannot be read, or are other ones than at the start."""

from __future__ import annotations

from catalog.domain.errors import SourceError
from catalog.domain.uri import display_name


def unreachable(path: bytes, error: OSError) -> SourceError:
    """The error of a source, or of a folder in it, that cannot be read."""
    if isinstance(error, FileNotFoundError):
        sentence = f'The source "{display_name(path)}" does not exist.'
    else:
        sentence = f'The source "{display_name(path)}" cannot be read: {reason_of(error)}.'
    return SourceError(sentence, remedy="Check the path and its permissions, and whether its disk is mounted.")


def replaced(path: bytes) -> SourceError:
    """The error of a folder that is another one than at the start."""
    return SourceError(
        f'The folder "{display_name(path)}" was unmounted or replaced during the scan.',
        remedy="Check that its disk is mounted, and run the same command again.",
    )


def reason_of(error: OSError) -> str:
    """The system's reason, in lower case."""
    return (error.strerror or str(error)).lower()
