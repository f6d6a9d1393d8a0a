"""Counts the photos of the sources while a scan works, for a progress bar with a total."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from catalog.domain.errors import CatalogError
from catalog.domain.file_names import is_named_like_a_photo
from catalog.domain.photos import PhotoRef
from catalog.domain.source import Skipped, Source
from catalog.domain.uri import entry_name


class PhotoCount:
    """Lists the sources in a thread of its own. Files are counted by name, and none is opened."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.total: int | None = None
        """Number of photos; None until the listing is complete, or if it failed."""
        self._sources = sources
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._count, name="photo count", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the count. A count that has not started never starts."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self) -> None:
        """Wait until the listing is complete."""
        self._thread.join()

    def _count(self) -> None:
        total = 0
        try:
            for source in self._sources:
                for item in source.list():
                    if self._stopped.is_set():
                        return
                    is_photo = isinstance(item, PhotoRef) and is_named_like_a_photo(entry_name(item.uri))
                    total += is_photo or isinstance(item, Skipped)
        except (CatalogError, OSError):
            return  # the scan lists the same source and reports the error
        self.total = total
