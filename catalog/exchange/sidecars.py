"""XMP sidecars: files beside photos that other programs read and write. Photo files are never changed.

The sidecar ``photo.jpg.xmp`` is written, as digiKam and darktable name it. Sidecars of photos in S3 are in a folder
that the user names, which mirrors buckets and keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from catalog.domain.errors import PhotoError
from catalog.domain.uri import FILE_SCHEME, display, file_path
from catalog.exchange.companion_files import CompanionFinder
from catalog.exchange.xmp_keywords import write_keywords
from catalog.exchange.xmp_packet import MAX_BYTES, new_packet, read_packet, write_packet
from catalog.exchange.xmp_region_writer import write_regions
from catalog.exchange.xmp_regions import Region
from catalog.store.named_faces import PhotoWithFaces
from catalog.store.whole_file import whole_file


@dataclass(frozen=True, slots=True)
class SidecarOutcome:
    """Outcome for one location: ``written``, ``unchanged``, ``failed`` with a reason, or ``elsewhere``.

    ``elsewhere`` means that the photo is not a file and that no folder for sidecars was given.
    """

    uri: str
    outcome: str
    reason: str | None = None


def write_sidecars(
    photos: Iterable[PhotoWithFaces], *, into: Path | None = None, keywords: bool = False, dry_run: bool = False
) -> Iterator[SidecarOutcome]:
    """Update the sidecar at every location. Photos without a named person get no sidecar.

    ``into`` is the folder for sidecars of photos that are not files. ``keywords``: write the names as keywords, too.
    """
    finder = CompanionFinder()
    for photo in photos:
        regions = [Region(face.name, face.box) for face in photo.faces if face.name]
        regions += [Region(name, box) for name, box in photo.appearances if box is not None]
        content = _Content(regions, _names(photo) if keywords else None)
        for uri in photo.uris:
            if not uri.startswith(FILE_SCHEME) and into is None:
                if content:
                    yield SidecarOutcome(uri, "elsewhere")
                continue
            try:
                outcome = _write_sidecar(photo, uri, into, content, finder, dry_run=dry_run)
            except (PhotoError, OSError) as error:
                cause = error.strerror if isinstance(error, OSError) else str(error)
                yield SidecarOutcome(uri, "failed", f'The sidecar of "{display(uri)}" was not changed: {cause}')
            else:
                if outcome is not None:
                    yield SidecarOutcome(uri, outcome)


@dataclass(frozen=True, slots=True)
class _Content:
    """Regions, and names to be written as keywords; None: keywords are not changed."""

    regions: list[Region]
    keywords: list[str] | None

    def __bool__(self) -> bool:
        return bool(self.regions or self.keywords)


def _names(photo: PhotoWithFaces) -> list[str]:
    names = [face.name for face in photo.faces if face.name] + [name for name, _ in photo.appearances]
    return list(dict.fromkeys(names))


def _write_sidecar(
    photo: PhotoWithFaces, uri: str, into: Path | None, content: _Content, finder: CompanionFinder, *, dry_run: bool
) -> str | None:
    path = photo_path(uri, into)
    sidecar = finder.sidecar(path) or path.with_name(f"{path.name}.xmp")
    exists = os.path.lexists(sidecar)
    if not exists and not content:
        return None
    root = read_packet(read_limited(sidecar)) if exists else new_packet()
    changed = write_regions(root, content.regions, photo.geometry)
    if content.keywords is not None:
        changed = write_keywords(root, content.keywords) or changed
    if not changed:
        return "unchanged" if content else None
    if not dry_run:
        if exists or uri.startswith(FILE_SCHEME):  # keep the sidecar's permissions; a new one gets the photo's
            mode = (sidecar if exists else path).stat().st_mode & 0o666
        else:
            make_private_folder(sidecar.parent)
            mode = 0o600
        _replace(sidecar, write_packet(root), mode=mode)
    return "written"


def make_private_folder(folder: Path) -> None:
    """Create a folder and its parents for the owner only. ``mkdir(parents=True)`` would apply the umask to parents."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def photo_path(uri: str, into: Path | None) -> Path:
    """Return the path of a photo. A photo in S3 gets the path that it would have in a copy of all buckets, ``into``."""
    if uri.startswith(FILE_SCHEME):
        return Path(os.fsdecode(file_path(uri)))
    assert into is not None
    parts = uri.partition("://")[2].split("/")
    return into.joinpath(*map(_file_name, parts))


def _file_name(part: str) -> str:
    """Return a part of a key as a file name. Parts that would leave the folder, or are no file name, stay encoded."""
    name = unquote_to_bytes(part)
    if name in (b"", b".", b"..") or b"\0" in name or name.startswith(b"%"):
        return "".join(f"%{byte:02X}" for byte in name) or "%"
    return os.fsdecode(name)


def _replace(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file whole or not at all. Follows a symbolic link."""
    with whole_file(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), mode)


def read_limited(path: Path) -> bytes:
    """Read at most one byte more than ``MAX_BYTES``, so that a larger file is recognized."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
