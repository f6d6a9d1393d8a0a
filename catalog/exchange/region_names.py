"""Names of faces from the regions in sidecars and in photo files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.domain.errors import PhotoError
from catalog.domain.same_face import DRAWN_REGION, best_match, same_face
from catalog.domain.uri import FILE_SCHEME, display_name
from catalog.exchange.sidecars import photo_path, read_limited
from catalog.exchange.xmp_packet import embedded_packets, read_packet
from catalog.exchange.xmp_regions import Region, read_regions
from catalog.store.named_faces import NamedFace, PhotoWithFaces

_HEAD_BYTES = 4_000_000
"""Bytes of a JPEG that are searched for XMP, which is before the image data."""


@dataclass(frozen=True, slots=True)
class RegionName:
    """A name that a region gives to a face of the catalogue. ``uri`` is the location of the photo."""

    face: NamedFace
    sha256: str
    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class PhotoNames:
    """Names read for one photo, the number of regions without a matching face, and a sentence per unreadable file.

    ``elsewhere`` counts locations without a sidecar path: not a file, and no folder for sidecars was given.
    """

    names: tuple[RegionName, ...]
    unmatched: int
    problems: tuple[str, ...]
    elsewhere: int = 0


def read_region_names(
    photos: Iterable[PhotoWithFaces], *, into: Path | None = None, embedded: bool = True
) -> Iterator[PhotoNames]:
    """Match the regions of each photo to its faces.

    Reads ``photo.jpg.xmp``, then ``photo.xmp`` (Lightroom), then with ``embedded`` the JPEG itself. The first name of a
    face is used, locations in order. ``into`` is the folder with the sidecars of photos that are not files; embedded
    regions of these are not read. Photos without any of this are left out.
    """
    for photo in photos:
        if not photo.faces:
            continue
        name_by_face: dict[int, RegionName] = {}
        unmatched = elsewhere = 0
        problems = []
        for uri in photo.uris:
            is_file = uri.startswith(FILE_SCHEME)
            if not is_file and into is None:
                elsewhere += 1
                continue
            regions, failures = _regions_of(photo, photo_path(uri, into), embedded=embedded and is_file)
            problems += failures
            for region in regions:
                face = best_match(region.box, photo.faces, DRAWN_REGION, key=lambda face: face.box)
                if face is None:
                    unmatched += 1
                else:
                    name_by_face.setdefault(face.row, RegionName(face, photo.sha256, region.name, uri))
        if name_by_face or unmatched or problems or elsewhere:
            yield PhotoNames(tuple(name_by_face.values()), unmatched, tuple(problems), elsewhere)


def _regions_of(photo: PhotoWithFaces, path: Path, *, embedded: bool) -> tuple[list[Region], list[str]]:
    regions: list[Region] = []
    problems = []
    for file in (path.with_name(f"{path.name}.xmp"), path.with_suffix(".xmp"), *([path] if embedded else [])):
        try:
            packets = embedded_packets(_read_head(file)) if file == path else [read_limited(file)]
            in_file = [region for packet in packets for region in read_regions(read_packet(packet), photo.geometry)]
        except FileNotFoundError:
            continue
        except (PhotoError, OSError) as error:
            cause = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(f'"{display_name(os.fsencode(file))}" cannot be read: {cause}')
        else:
            known = tuple(regions)
            regions += [
                region for region in in_file if not any(same_face(region.box, one.box, DRAWN_REGION) for one in known)
            ]
    return regions, problems


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)
