"""Names of persons on photos, from the files of other programs, matched to the faces of the catalogue."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from catalog.domain.errors import PersonError, PhotoError
from catalog.domain.faces import BoundingBox
from catalog.domain.people import clean_name
from catalog.domain.same_face import DRAWN_REGION, match_pairs, same_face
from catalog.domain.uri import FILE_SCHEME, S3_SCHEME, display_name
from catalog.exchange.apple_photos import AppleFile, AppleLibraries
from catalog.exchange.companion_files import CompanionFinder
from catalog.exchange.embedded_xmp import embedded_packets
from catalog.exchange.picasa import PicasaRegion, read_picasa
from catalog.exchange.placeholder_names import is_placeholder
from catalog.exchange.region_frames import AppliedSize, place_regions
from catalog.exchange.sidecars import photo_path, read_limited
from catalog.exchange.takeout import read_takeout_names
from catalog.exchange.xmp_packet import read_packet
from catalog.exchange.xmp_people import names_without_position
from catalog.exchange.xmp_regions import region_lists
from catalog.store.named_faces import NamedFace, PhotoWithFaces


@dataclass(frozen=True, slots=True)
class NameSources:
    """Files to read. ``into``: folder with the sidecars of photos that are not files. ``contacts``: Picasa's names.

    ``is_copy``: ``into`` is a copy of files in S3, which are shown with their addresses there.
    ``placeholders``: names that are no persons, in addition to the built-in ones.
    """

    embedded: bool = True
    into: Path | None = None
    is_copy: bool = False
    contacts: Mapping[str, str] = field(default_factory=dict)
    placeholders: tuple[str, ...] = ()

    def shown(self, text: str) -> str:
        """A text with the paths of copies as addresses."""
        return text.replace(f"{self.into}/", S3_SCHEME) if self.is_copy else text


@dataclass(frozen=True, slots=True)
class RegionName:
    """A name that a region, or a list of names, gives to a face of the catalogue. ``file`` states the name."""

    face: NamedFace
    sha256: str
    name: str
    uri: str
    file: str


@dataclass(frozen=True, slots=True)
class NameWithoutFace:
    """A person on a photo without a detected face. ``box`` is None if the file gives no position.

    ``is_certain`` is False for a region whose position on this image is not known: the photo was cropped or turned.
    """

    sha256: str
    name: str
    box: BoundingBox | None
    uri: str
    file: str
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class PhotoNames:
    """Names read for one photo. ``problems``: a sentence per unreadable file. ``placeholders``: their number.

    ``elsewhere`` counts locations without a sidecar path: not a file, and no folder for sidecars was given.
    ``files``: number of files read, with or without names.
    """

    sha256: str
    names: tuple[RegionName, ...]
    without_face: tuple[NameWithoutFace, ...] = ()
    placeholders: int = 0
    problems: tuple[str, ...] = ()
    elsewhere: int = 0
    files: int = 0


@dataclass(slots=True)
class _FileNames:
    """Regions of one file on the upright image, and names without a position."""

    file: str
    regions: list[tuple[str, BoundingBox, bool]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def read_region_names(photos: Iterable[PhotoWithFaces], sources: NameSources | None = None) -> Iterator[PhotoNames]:
    """Match the names in files of other programs to the faces of each photo.

    Reads sidecars, then the photo file itself, then ``.picasa.ini``, then Takeout's JSON, then the database of the
    library of Apple Photos that holds the file. Of several files that name the same face the first one is used,
    locations in order. A name without a position is taken for a face if the photo has exactly one such name and exactly
    one face without a name from a file. Photos without any file are left out.
    """
    sources = sources or NameSources()
    finder = CompanionFinder()
    picasa = _PicasaFolders(sources.contacts)
    libraries = AppleLibraries()
    for photo in photos:
        collected = _Collected(photo, sources)
        for uri in photo.uris:
            is_file = uri.startswith(FILE_SCHEME)
            if not is_file and sources.into is None:
                collected.elsewhere += 1
                continue
            path = photo_path(uri, sources.into)
            embedded = sources.embedded and is_file
            collected.add(uri, _read_files(photo, path, finder, picasa, libraries, collected, embedded=embedded))
        result = collected.result()
        if result is not None:
            yield result


class _Collected:
    """Names of one photo, collected from all its files."""

    def __init__(self, photo: PhotoWithFaces, sources: NameSources) -> None:
        self._photo = photo
        self._sources = sources
        self._name_by_face: dict[int, RegionName] = {}
        self._regions: list[tuple[str, BoundingBox]] = []
        self._without_face: list[NameWithoutFace] = []
        self._photo_names: list[NameWithoutFace] = []
        self._placeholders = 0
        self._files = 0
        self.elsewhere = 0
        self.problems: list[str] = []

    def add(self, uri: str, files: Iterable[_FileNames]) -> None:
        for file in files:
            self._files += 1
            shown = self._sources.shown(file.file)
            regions = [region for region in file.regions if not self._is_known(region[1])]
            pairs = match_pairs(
                regions,
                self._photo.faces,
                DRAWN_REGION,
                left_key=lambda region: region[1],
                right_key=lambda face: face.box,
            )
            face_by_region = {region_index: self._photo.faces[face_index] for region_index, face_index in pairs}
            for index, (name, box, is_certain) in enumerate(regions):
                self._regions.append((name, box))
                if not self._is_usable(name, shown):
                    continue
                if is_placeholder(name, self._sources.placeholders):
                    self._placeholders += bool(name)
                elif (face := face_by_region.get(index)) is not None:
                    self._name_by_face.setdefault(face.row, RegionName(face, self._photo.sha256, name, uri, shown))
                else:
                    self._without_face.append(
                        NameWithoutFace(self._photo.sha256, name, box, uri, shown, is_certain=is_certain)
                    )
            for name in file.names:
                if not self._is_usable(name, shown):
                    continue
                if is_placeholder(name, self._sources.placeholders):
                    self._placeholders += 1
                else:
                    self._photo_names.append(NameWithoutFace(self._photo.sha256, name, None, uri, shown))

    def _is_usable(self, name: str, file: str) -> bool:
        with suppress(PersonError):
            clean_name(name)  # a name that no person can have must not end the import
            if any(character.isprintable() for character in name):
                return True
        self.problems.append(f'"{file}" has a name that is too long or not printable. It was not imported.')
        return False

    def _is_known(self, box: BoundingBox) -> bool:
        """Return True if an earlier file has a region of the same face."""
        return any(same_face(box, region_box, DRAWN_REGION) for _, region_box in self._regions)

    def result(self) -> PhotoNames | None:
        stated = {name.name.casefold() for name in self._name_by_face.values()}
        stated |= {name.name.casefold() for name in self._without_face}
        remaining = {name.name.casefold(): name for name in reversed(self._photo_names)}
        without_position = [remaining[name] for name in sorted(remaining) if name not in stated]
        unnamed = [face for face in self._photo.faces if face.row not in self._name_by_face]
        if len(without_position) == 1 and len(unnamed) == 1 and not self._without_face:
            (name,), (face,) = without_position, unnamed
            self._name_by_face[face.row] = RegionName(face, name.sha256, name.name, name.uri, name.file)
            without_position = []
        without_face = (*self._without_face, *without_position)
        if not (self._files or self.problems or self.elsewhere):
            return None
        return PhotoNames(
            self._photo.sha256,
            tuple(self._name_by_face.values()),
            without_face,
            self._placeholders,
            tuple(map(self._sources.shown, self.problems)),
            self.elsewhere,
            self._files,
        )


class _PicasaFolders:
    """Regions of the last ``.picasa.ini`` that was read. Photos are read folder by folder."""

    def __init__(self, contacts: Mapping[str, str]) -> None:
        self._contacts = contacts
        self._path: Path | None = None
        self._regions: dict[str, list[PicasaRegion]] = {}

    def of(self, path: Path, photo: Path) -> list[PicasaRegion]:
        if path != self._path:
            self._regions = {}
            self._path = path
            self._regions = read_picasa(path, self._contacts)
        return self._regions.get(photo.name.casefold(), [])


def _read_files(
    photo: PhotoWithFaces,
    path: Path,
    finder: CompanionFinder,
    picasa: _PicasaFolders,
    libraries: AppleLibraries,
    collected: _Collected,
    *,
    embedded: bool,
) -> Iterator[_FileNames]:
    def attempt(file: Path, read: Callable[[], _FileNames]) -> Iterator[_FileNames]:
        try:
            yield read()
        except FileNotFoundError:
            return
        except (PhotoError, OSError) as error:
            cause = error.strerror if isinstance(error, OSError) else str(error)
            collected.problems.append(f'"{display_name(os.fsencode(file))}" cannot be read: {cause}')

    def of_sidecar(sidecar: Path) -> _FileNames:
        return _of_packets(photo, sidecar, [read_limited(sidecar)])

    for sidecar in finder.sidecars(path):
        yield from attempt(sidecar, partial(of_sidecar, sidecar))
    if embedded:
        yield from attempt(path, lambda: _of_photo_file(photo, path))
    if (ini := finder.picasa(path)) is not None:
        yield from attempt(ini, lambda: _of_picasa(photo, ini, picasa.of(ini, path)))
    if (takeout := finder.takeout(path)) is not None:
        yield from attempt(takeout, lambda: _FileNames(_shown(takeout), names=read_takeout_names(takeout)))
    if (library := libraries.file(path)) is not None:
        yield from attempt(library.database, lambda: _of_library(photo, library, libraries))


def _of_photo_file(photo: PhotoWithFaces, path: Path) -> _FileNames:
    with path.open("rb") as file:
        return _of_packets(photo, path, embedded_packets(file))


def _of_packets(photo: PhotoWithFaces, path: Path, packets: Sequence[bytes]) -> _FileNames:
    names = _FileNames(_shown(path))
    for packet in packets:
        root = read_packet(packet)
        for region_list in region_lists(root):
            named = [region for region in region_list.regions if region.name]
            written = [(region.name, region.box) for region in named]
            names.regions += _placed(photo, written, region_list.applied_size, names.regions)
        names.names += names_without_position(root)
    return names


def _of_picasa(photo: PhotoWithFaces, path: Path, regions: Sequence[PicasaRegion]) -> _FileNames:
    written = [(region.name, region.box) for region in regions]
    return _FileNames(_shown(path), _placed(photo, written, None, ()))


def _of_library(photo: PhotoWithFaces, file: AppleFile, libraries: AppleLibraries) -> _FileNames:
    faces, is_certain = libraries.faces(file)
    size = photo.geometry.width, photo.geometry.height
    return _FileNames(_shown(file.database), [(face.name, face.box(*size), is_certain) for face in faces])


def _placed(
    photo: PhotoWithFaces,
    written: Sequence[tuple[str, BoundingBox]],
    applied_size: AppliedSize | None,
    named_regions: Sequence[tuple[str, BoundingBox, bool]],
) -> list[tuple[str, BoundingBox, bool]]:
    """Return name, box on the upright image and certainty of regions, without those of known regions' faces."""
    faces = [face.box for face in photo.faces]
    placed = place_regions([box for _, box in written], applied_size, photo.geometry, faces)
    return [
        (name, box, placed.is_certain)
        for (name, _), box in zip(written, placed.boxes, strict=True)
        if not any(same_face(box, named_box, DRAWN_REGION) for _, named_box, _ in named_regions)
    ]


def _shown(path: Path) -> str:
    return display_name(os.fsencode(path))
