"""XMP sidecars: files beside photos that other programs read and write. Originals are never touched.

Written is ``photo.jpg.xmp``, as digiKam, darktable and others do; read is ``photo.xmp`` too, as Lightroom names it, and
what is embedded in a JPEG.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import PhotoError
from catalog.exchange.named_faces import FacedPhoto, NamedFace
from catalog.exchange.packet import MAX_BYTES, embedded_packet, new_packet, read_packet, write_packet
from catalog.exchange.regions import Region, read_regions, same_face, write_regions
from catalog.sources.uri import FILE_SCHEME, display, display_name, file_path

_HEAD_BYTES = 4_000_000
"""So much of a JPEG is read in search of its XMP, which stands before the image data."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one sidecar: ``written``, ``unchanged``, ``elsewhere`` (not a file) or ``failed``, with why."""

    uri: str
    outcome: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ImportedName:
    """A name that a region gives to a face of the catalogue."""

    face: NamedFace
    sha256: str
    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class ReadPhoto:
    """What the regions of one photo say: names of faces, regions that fit no face, and what could not be read."""

    names: tuple[ImportedName, ...]
    unmatched: int
    problems: tuple[str, ...]


def write_sidecars(photos: Iterable[FacedPhoto], *, dry_run: bool = False) -> Iterator[Written]:
    """Bring the sidecar of each place of each photo up to date. Photos that nobody named get none."""
    for photo in photos:
        regions = [Region(face.name, face.box) for face in photo.faces if face.name]
        for uri in photo.uris:
            if not uri.startswith(FILE_SCHEME):
                if regions:
                    yield Written(uri, "elsewhere")
                continue
            try:
                outcome = _write_sidecar(photo, uri, regions, dry_run=dry_run)
            except (PhotoError, OSError) as error:
                sentence = error.strerror if isinstance(error, OSError) else str(error)
                yield Written(uri, "failed", f'The sidecar of "{display(uri)}" was left as it is: {sentence}')
            else:
                if outcome is not None:
                    yield Written(uri, outcome)


def _write_sidecar(photo: FacedPhoto, uri: str, regions: list[Region], *, dry_run: bool) -> str | None:
    path = Path(os.fsdecode(file_path(uri)))
    sidecar = path.with_name(f"{path.name}.xmp")
    there = os.path.lexists(sidecar)
    if not there and not regions:
        return None
    root = read_packet(_read(sidecar)) if there else new_packet()
    if not write_regions(root, regions, photo.frame):
        return "unchanged" if regions else None
    if not dry_run:
        _replace(sidecar, write_packet(root), like=sidecar if there else path)
    return "written"


def _replace(path: Path, data: bytes, *, like: Path) -> None:
    """Write a file whole or not at all, as readable as another; a symbolic link's target is written."""
    target = path.resolve()
    mode = like.stat().st_mode & 0o666
    part = target.with_name(f"{target.name}.part")
    descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        part.replace(target)
    except BaseException:  # whatever ended it, Ctrl-C too: half a sidecar must not stay
        part.unlink()
        raise


def read_sidecars(photos: Iterable[FacedPhoto], *, embedded: bool = True) -> Iterator[ReadPhoto]:
    """What sidecars, and with ``embedded`` the JPEGs themselves, say about the faces of each photo.

    A sidecar is heard before what is embedded, and the first place of a photo before its copies.
    """
    for photo in photos:
        if not photo.faces:
            continue
        names: dict[int, ImportedName] = {}
        unmatched = 0
        problems = []
        for uri in photo.uris:
            if uri.startswith(FILE_SCHEME):
                regions, troubles = _regions_of(photo, uri, embedded=embedded)
                problems += troubles
                for region in regions:
                    face = _face_of(region, photo.faces)
                    if face is None:
                        unmatched += 1
                    else:
                        names.setdefault(face.row, ImportedName(face, photo.sha256, region.name, uri))
        if names or unmatched or problems:
            yield ReadPhoto(tuple(names.values()), unmatched, tuple(problems))


def _regions_of(photo: FacedPhoto, uri: str, *, embedded: bool) -> tuple[list[Region], list[str]]:
    path = Path(os.fsdecode(file_path(uri)))
    found: list[Region] = []
    problems = []
    sources = [path.with_name(f"{path.name}.xmp"), path.with_suffix(".xmp"), *([path] if embedded else [])]
    for source in sources:
        try:
            packet = embedded_packet(_read(source, head=True)) if source == path else _read(source)
            regions = read_regions(read_packet(packet), photo.frame) if packet is not None else []
        except FileNotFoundError:
            continue
        except (PhotoError, OSError) as error:
            sentence = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(f'"{display_name(os.fsencode(source))}" cannot be read: {sentence}')
        else:
            found += [each for each in regions if not any(same_face(each.box, other.box) for other in found)]
    return found, problems


def _face_of(region: Region, faces: Iterable[NamedFace]) -> NamedFace | None:
    """The face that a region means: of those it may mean, the one it overlaps most."""
    near = [face for face in faces if same_face(face.box, region.box)]
    return max(near, key=lambda face: face.box.iou(region.box), default=None)


def _read(path: Path, *, head: bool = False) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES if head else MAX_BYTES + 1)
