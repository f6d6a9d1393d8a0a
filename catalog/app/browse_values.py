"""Values for browsing a catalogue: persons with covers, photos with faces, strangers, original files."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.store.browse_photos import Album, CataloguedPhoto
from catalog.store.catalogued_faces import CataloguedFace
from catalog.store.person_summaries import PersonSummary


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A person with the clearest face in the gallery in use; ``cover`` is None if no face is left."""

    person: PersonSummary
    cover: CataloguedFace | None


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """A person as its page shows it. ``confirmed`` counts the faces that a user assigned.

    ``summary`` is None for a person without a face in the gallery in use. ``seen`` is the latest decision's number.
    """

    person_id: str
    name: str | None
    hidden: bool
    birth_date: str | None
    summary: PersonSummary | None
    cover: CataloguedFace | None
    confirmed: int
    seen: int


@dataclass(frozen=True, slots=True)
class PhotoPage:
    """A page of photos. ``total`` counts all photos of the selection.

    ``years`` are those of all photos of the catalogue, newest first, each with the number of photos.
    """

    photos: tuple[CataloguedPhoto, ...]
    total: int
    years: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PhotoDetails:
    """A photo with its faces in the gallery in use, from left to right. ``seen`` is the latest decision's number.

    ``other_files`` are the other photos of the same exposure, the one that counts first.
    """

    photo: CataloguedPhoto
    faces: tuple[CataloguedFace, ...]
    strangers: int
    seen: int
    other_files: tuple[CataloguedPhoto, ...] = ()


@dataclass(frozen=True, slots=True)
class Strangers:
    """Persons without a name that a bulk hide would hide: how many, and the ones seen most often."""

    count: int
    sample: tuple[PersonCard, ...]
    seen: int


@dataclass(frozen=True, slots=True)
class OriginalFile:
    """The bytes of a photo's file as they are. ``name`` is the last part of its location."""

    data: bytes
    format: str
    name: str


__all__ = [
    "Album",
    "CataloguedPhoto",
    "OriginalFile",
    "PersonCard",
    "PersonDetails",
    "PhotoDetails",
    "PhotoPage",
    "Strangers",
]
