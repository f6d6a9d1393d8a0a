"""Which places a scan has seen, in one bit each."""

from __future__ import annotations

from catalog.store.photos import Place


class Seen:
    """A set of row ids of places, and of folders that could not be looked into.

    A million places take 125 kB.
    """

    def __init__(self) -> None:
        self._bits = bytearray()
        self._folders: list[str] = []

    def add(self, location_id: int) -> None:
        index, bit = divmod(location_id, 8)
        if index >= len(self._bits):
            self._bits.extend(bytes(index + 1 - len(self._bits) + 1024))
        self._bits[index] |= 1 << bit

    def add_below(self, uri: str) -> None:
        """What lies below a folder that could not be looked into may still be there; so may a skipped file."""
        self._folders.append(uri)

    def __len__(self) -> int:
        return int.from_bytes(self._bits, "little").bit_count()

    @property
    def whole(self) -> bool:
        """No folder had to be left out."""
        return not self._folders

    def __contains__(self, place: Place) -> bool:
        index, bit = divmod(place.location_id, 8)
        if index < len(self._bits) and self._bits[index] >> bit & 1:
            return True
        return any(
            place.uri == folder or (folder.endswith("/") and place.uri.startswith(folder)) for folder in self._folders
        )
