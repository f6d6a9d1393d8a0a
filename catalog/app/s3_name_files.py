"""Copies of the files beside photos in S3 that may name persons, in a private folder for one import."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from catalog.app.open_source import address_of
from catalog.app.resources import Resources
from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.photos import PhotoRef
from catalog.domain.source import OtherFile, Source
from catalog.domain.uri import S3_SCHEME, display, entry_name
from catalog.exchange.sidecars import photo_path
from catalog.store.photos import locations_below
from catalog.store.source_rows import scanned_sources

_MAX_BYTES = 16_000_000
"""Largest file that is read for names."""
_NAME_FILE = re.compile(rb".*\.(?:xmp|json)|\.?picasa\.ini", re.DOTALL | re.IGNORECASE)


@contextmanager
def s3_name_files(resources: Resources) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Download sidecars, Takeout's JSON and Picasa's files of the folders with photos below the scanned prefixes.

    Yields the folder, in the layout of ``export xmp --into``, and sentences about what could not be read. The folder is
    readable by its owner only, and deleted at the end.
    """
    with resources.database.read() as connection:
        uris = [uri for uri in scanned_sources(connection) if uri.startswith(S3_SCHEME)]
        folders = {_folder(location.uri) for uri in uris for location in locations_below(connection, uri)}
    problems: list[str] = []
    with TemporaryDirectory(prefix="catalog-") as name:
        folder = Path(name)
        for source in resources.sources([address_of(uri) for uri in uris]):
            try:
                for item in source.list():
                    is_name_file = isinstance(item, OtherFile) and _NAME_FILE.fullmatch(entry_name(item.uri))
                    if is_name_file and _folder(item.uri) in folders:
                        _download(source, item.uri, folder, problems)
            except SourceError as error:
                problems.append(str(error))
        yield folder, tuple(problems)


def _folder(uri: str) -> str:
    return uri.rpartition("/")[0]


def _download(source: Source, uri: str, folder: Path, problems: list[str]) -> None:
    path = photo_path(uri, folder)
    try:
        content = source.head(PhotoRef(uri, _MAX_BYTES, 0), _MAX_BYTES)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except PhotoError as error:
        problems.append(str(error))
    except OSError as error:
        problems.append(f'"{display(uri)}" cannot be copied: {error.strerror}.')
