"""Find photos of the catalogue by the text of a user."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.domain.uri import FILE_SCHEME, S3_SCHEME, absolute_path, display_name, file_uri
from catalog.store.photos_at import contents_at, contents_by_prefix

_HASH = re.compile(r"[0-9a-f]{8,64}")


def find_photos(connection: Connection, target: str | Path) -> list[str]:
    """The content hashes of a photo or a folder: a path, a uri, or the beginning of a content hash.

    Raises UsageError if there is none, or if several begin so.
    """
    text = str(target)
    if text.startswith((FILE_SCHEME, S3_SCHEME)):
        contents = contents_at(connection, text)
    else:
        contents = contents_at(connection, file_uri(absolute_path(Path(text).expanduser())))
        if not contents and _HASH.fullmatch(text):
            contents = contents_by_prefix(connection, text)
            if len(contents) > 1:
                raise UsageError(f'Several photos have a content hash that begins with "{text}".')
    if not contents:
        raise UsageError(
            f'The catalogue has no photo at "{display_name(text)}".', remedy="Scan it first: catalog scan FOLDER"
        )
    return contents
