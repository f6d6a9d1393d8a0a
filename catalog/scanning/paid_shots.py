"""Pay once for an exposure: of files that their names call one exposure, one is sent to a paid engine.

The name proposes before anything is read, so that the plan of a scan counts the same. The image confirms: a file whose
time and image agree with none of those that were sent is sent as well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from catalog.domain.apple_library import apple_asset
from catalog.domain.choose_date import choose_date
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.stack_names import StackName, are_one_by_name, stack_name
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import entry_name, quote_name
from catalog.scanning.stack_links import link_by_name
from catalog.store.database import Database
from catalog.store.stack_rows import StackMember, enrolled_beside

_KEPT = 4096
"""Names that are remembered until the photos are recorded, which takes less than a second each."""


def shot_key(uri: str) -> tuple[str, str, str]:
    """Return folder, root and copy tail of a file's name: files of one key may show one exposure.

    The key of an original of Apple Photos, and of its edit, is the library with the UUID of the photo.
    """
    asset = apple_asset(uri)
    if asset is not None:
        return asset.library, asset.uuid, ""
    name = _name(uri)
    return uri.rpartition("/")[0], name.root, name.copy


@dataclass(slots=True)
class _Shot:
    lock: Lock = field(default_factory=Lock)
    sent: list[tuple[StackName, StackMember]] = field(default_factory=list)
    waiting: int = 0


class PaidShots:
    """The photos of one scan that were sent to the paid engine, by their names. Used from several threads."""

    def __init__(self, database: Database, *, engine: str, gallery: str) -> None:
        self._database = database
        self._engine = engine
        self._gallery = gallery
        self._lock = Lock()
        self._shots: OrderedDict[tuple[str, str, str], _Shot] = OrderedDict()

    @contextmanager
    def one_at_a_time(self, uri: str) -> Iterator[None]:
        """Hold back other files that may show the same exposure until this one is sent, or not sent."""
        with self._lock:
            shot = self._shots.setdefault(shot_key(uri), _Shot())
            self._shots.move_to_end(shot_key(uri))
            shot.waiting += 1
        try:
            with shot.lock:
                yield
        finally:
            with self._lock:
                shot.waiting -= 1
                self._forget_oldest()

    def is_sent(self, uri: str, photo: OpenedPhoto, sha256: str) -> bool:
        """Return whether another file of the same exposure was sent, in this scan or an earlier one."""
        name, member = _name(uri), _member(uri, photo, sha256)
        candidates = [*self._shots[shot_key(uri)].sent, *self._recorded(uri, name)]
        if apple_asset(uri) is not None:  # the library says that all files of this key are one photo
            return any(other.sha256 != sha256 for _, other in candidates)
        return any(
            are_one_by_name(name, other_name) and link_by_name(member, other, name, other_name) is not None
            for other_name, other in candidates
            if other.sha256 != sha256
        )

    def add(self, uri: str, photo: OpenedPhoto, sha256: str) -> None:
        """Remember a photo that was sent."""
        self._shots[shot_key(uri)].sent.append((_name(uri), _member(uri, photo, sha256)))

    def _recorded(self, uri: str, name: StackName) -> list[tuple[StackName, StackMember]]:
        members: list[tuple[StackName, StackMember]] = []
        with self._database.read() as connection:
            for first in sorted(_beginnings(uri, name)):
                # "\x7f" sorts after every character of a uri.
                rows = enrolled_beside(connection, first, first + "\x7f", self._engine, self._gallery)
                members += [(_name(row.uris[0]), row) for row in rows if shot_key(row.uris[0]) == shot_key(uri)]
        return members

    def _forget_oldest(self) -> None:
        while len(self._shots) > _KEPT and next(iter(self._shots.values())).waiting == 0:
            self._shots.popitem(last=False)


def _beginnings(uri: str, name: StackName) -> set[str]:
    """How the uris of the other files of an exposure may begin."""
    asset = apple_asset(uri)
    if asset is not None:
        return {
            f"{asset.library}/{folder}/{asset.uuid[0]}/{asset.uuid}" for folder in ("originals", "resources/renders")
        }
    folder = uri.rpartition("/")[0] + "/"
    # The stem as it is spelled here, and the other spelling of an edit by Apple.
    stem = entry_name(uri)[: len(name.root.encode("utf-8", "surrogateescape"))]
    stems = {stem, b"IMG_E" + stem[4:]} if stem[:4] == b"IMG_" else {stem}
    if entry_name(uri)[:5] == b"IMG_E":
        stems = {b"IMG_" + entry_name(uri)[5:9], b"IMG_E" + entry_name(uri)[5:9]}
    return {folder + quote_name(stem) for stem in stems}


def _name(uri: str) -> StackName:
    return stack_name(entry_name(uri).decode("utf-8", "surrogateescape"))


def _member(uri: str, photo: OpenedPhoto, sha256: str) -> StackMember:
    metadata = photo.metadata.dated(choose_date(photo.metadata.dates, is_scan=photo.metadata.is_scan))
    return StackMember(
        photo=0,
        sha256=sha256,
        size=0,
        format=photo.format,
        width=photo.width,
        height=photo.height,
        image_hash=photo.image_hash,
        taken_at=utc_text(metadata.taken_at),
        taken_at_offset=metadata.taken_at_offset,
        taken_at_source=metadata.taken_at_source,
        taken_at_precision=metadata.taken_at_precision,
        camera_make=metadata.camera_make,
        uris=(uri,),
    )
