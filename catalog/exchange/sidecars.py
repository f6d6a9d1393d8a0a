"""XMP sidecars: files beside photos that other programs read and write. Originals are never touched.

Written is ``photo.jpg.xmp``, as digiKam, darktable and others do; read is ``photo.xmp`` too, as Lightroom names it, and
what is embedded in a JPEG. Photos in a bucket have no room beside them that is ours to write: their sidecars lie in a
folder that mirrors bucket and keys, where the user names one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from catalog.domain.errors import PhotoError
from catalog.domain.same_face import DRAWN_REGION, best_match, same_face
from catalog.domain.uri import FILE_SCHEME, display, display_name, file_path
from catalog.exchange.named_faces import FacedPhoto, NamedFace
from catalog.exchange.xmp_packet import MAX_BYTES, embedded_packets, new_packet, read_packet, write_packet
from catalog.exchange.xmp_regions import Region, read_regions, write_regions

_HEAD_BYTES = 4_000_000
"""So much of a JPEG is read in search of its XMP, which stands before the image data."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one sidecar: ``written``, ``unchanged``, ``failed``, with why, or ``elsewhere``.

    The last has no place: its photo is no file, and no folder was named.
    """

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
    """What the regions of one photo say: names of faces, regions that fit no face, and what could not be read.

    ``elsewhere`` counts places where no sidecar was looked for: they are no files, and no folder was named.
    """

    names: tuple[ImportedName, ...]
    unmatched: int
    problems: tuple[str, ...]
    elsewhere: int = 0


def write_sidecars(
    photos: Iterable[FacedPhoto], *, into: Path | None = None, dry_run: bool = False
) -> Iterator[Written]:
    """Bring the sidecar of each place of each photo up to date. Photos that nobody named get none.

    ``into`` is the folder for sidecars of photos that are no files.
    """
    for photo in photos:
        regions = [Region(face.name, face.box) for face in photo.faces if face.name]
        for uri in photo.uris:
            if not uri.startswith(FILE_SCHEME) and into is None:
                if regions:
                    yield Written(uri, "elsewhere")
                continue
            try:
                outcome = _write_sidecar(photo, uri, into, regions, dry_run=dry_run)
            except (PhotoError, OSError) as error:
                sentence = error.strerror if isinstance(error, OSError) else str(error)
                yield Written(uri, "failed", f'The sidecar of "{display(uri)}" was left as it is: {sentence}')
            else:
                if outcome is not None:
                    yield Written(uri, outcome)


def _write_sidecar(
    photo: FacedPhoto, uri: str, into: Path | None, regions: list[Region], *, dry_run: bool
) -> str | None:
    path = _path_of(uri, into)
    sidecar = path.with_name(f"{path.name}.xmp")
    there = os.path.lexists(sidecar)
    if not there and not regions:
        return None
    root = read_packet(_read(sidecar)) if there else new_packet()
    if not write_regions(root, regions, photo.frame):
        return "unchanged" if regions else None
    if not dry_run:
        if there or uri.startswith(FILE_SCHEME):  # as readable as the photo, or as it was
            mode = (sidecar if there else path).stat().st_mode & 0o666
        else:
            _make_private(sidecar.parent)
            mode = 0o600
        _replace(sidecar, write_packet(root), mode=mode)
    return "written"


def _make_private(folder: Path) -> None:
    """Make a folder for its owner only, and those above it too: `parents=True` would leave them to the umask."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _path_of(uri: str, into: Path | None) -> Path:
    """Where a photo is or, of one in a bucket, where it would be if the folder were a copy of all buckets."""
    if uri.startswith(FILE_SCHEME):
        return Path(os.fsdecode(file_path(uri)))
    assert into is not None
    parts = uri.partition("://")[2].split("/")
    return into.joinpath(*map(_file_name, parts))


def _file_name(part: str) -> str:
    """A part of a key as the name of a file. Those that would lead elsewhere, or cannot be one, stay encoded."""
    name = unquote_to_bytes(part)
    if name in (b"", b".", b"..") or b"\0" in name or name.startswith(b"%"):
        return "".join(f"%{byte:02X}" for byte in name) or "%"
    return os.fsdecode(name)


def _replace(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file whole or not at all; a symbolic link's target is written."""
    target = path.resolve()
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


def read_sidecars(
    photos: Iterable[FacedPhoto], *, into: Path | None = None, embedded: bool = True
) -> Iterator[ReadPhoto]:
    """What sidecars, and with ``embedded`` the JPEGs themselves, say about the faces of each photo.

    A sidecar is heard before what is embedded, and the first place of a photo before its copies. ``into`` is the folder
    with the sidecars of photos that are no files; what is embedded in these is not read.
    """
    for photo in photos:
        if not photo.faces:
            continue
        names: dict[int, ImportedName] = {}
        unmatched = elsewhere = 0
        problems = []
        for uri in photo.uris:
            is_file = uri.startswith(FILE_SCHEME)
            if not is_file and into is None:
                elsewhere += 1
                continue
            regions, troubles = _regions_of(photo, _path_of(uri, into), embedded=embedded and is_file)
            problems += troubles
            for region in regions:
                face = _face_of(region, photo.faces)
                if face is None:
                    unmatched += 1
                else:
                    names.setdefault(face.row, ImportedName(face, photo.sha256, region.name, uri))
        if names or unmatched or problems or elsewhere:
            yield ReadPhoto(tuple(names.values()), unmatched, tuple(problems), elsewhere)


def _regions_of(photo: FacedPhoto, path: Path, *, embedded: bool) -> tuple[list[Region], list[str]]:
    found: list[Region] = []
    problems = []
    sources = [path.with_name(f"{path.name}.xmp"), path.with_suffix(".xmp"), *([path] if embedded else [])]
    for source in sources:
        try:
            packets = embedded_packets(_read(source, head=True)) if source == path else [_read(source)]
            regions = [region for packet in packets for region in read_regions(read_packet(packet), photo.frame)]
        except FileNotFoundError:
            continue
        except (PhotoError, OSError) as error:
            sentence = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(f'"{display_name(os.fsencode(source))}" cannot be read: {sentence}')
        else:
            found += [
                each for each in regions if not any(same_face(each.box, other.box, DRAWN_REGION) for other in found)
            ]
    return found, problems


def _face_of(region: Region, faces: Iterable[NamedFace]) -> NamedFace | None:
    """The face that a region means: of those it may mean, the one it overlaps most."""
    return best_match(region.box, faces, DRAWN_REGION, key=lambda face: face.box)


def _read(path: Path, *, head: bool = False) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES if head else MAX_BYTES + 1)
