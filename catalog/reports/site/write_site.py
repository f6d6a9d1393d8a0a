"""Writes the pages: people, each person's photos in time, all photos by year, expressions, company."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import Opener
from catalog.reports.co_occurrence import CoOccurrence, company
from catalog.reports.filters import ReportFilters, parameters
from catalog.reports.gallery_filter import Gallery, gallery_values
from catalog.reports.run_report import reading
from catalog.reports.site.charts import emotion_charts
from catalog.reports.site.output_folder import SiteFolder
from catalog.reports.site.page_data import (
    SiteFace,
    SitePerson,
    SitePhoto,
    faces_by_person,
    faces_by_photo,
    most_seen,
    read_people,
    read_photos,
)
from catalog.reports.site.page_images import PageImages, Read, best_faces
from catalog.reports.site.pages import PhotoRow, page, photo_data
from catalog.store.database import Database

PORTRAITS = 4
"""Crops on a person's page; the first is on the page of people."""
FRIENDS = 12
CHARTED = 200
"""People whose page has charts: those with the most faces. A chart takes milliseconds, and few faces tell little."""
IN_MATRIX = 20
PAIRS = 50
_PARTS = 1000
"""The script is given boxes in thousandths."""


@dataclass(frozen=True, slots=True)
class SiteSummary:
    """What was written. ``unreadable`` holds a sentence for each original that could not be shown."""

    people: int
    photos: int
    pictures: int
    removed: int
    unreadable: tuple[str, ...]


@dataclass
class _Card:
    """A person on the page of people."""

    person: SitePerson
    photos: int
    years: str
    crop: str | None


def write_site(
    database: Database,
    folder: SiteFolder,
    *,
    read: Read,
    opener: Opener,
    workers: int,
    now: datetime,
    version: str,
    pictures: bool = True,
    gallery: Gallery | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> SiteSummary:
    """Write the pages of a whole catalogue, draw the pictures that are not there yet, remove what is left over.

    ``read`` gives the bytes of an original by its uri. Without ``pictures`` none are drawn or kept.
    The faces are those of ``gallery``; without it, or where it holds none, of the one that was enrolled in last.
    ``progress`` is told how many photos have been opened, and of how many.
    """
    writer = _Writer(folder, PageImages(folder, read, opener, workers), now, version, drawn=pictures)
    with reading(database) as connection:
        writer.people = read_people(connection)
        writer.photos = read_photos(connection)
        values = gallery_values(connection, gallery)
        writer.charted = most_seen(connection, values, CHARTED)
        writer.company = company(connection, parameters(ReportFilters(), connection) | values)
        writer.write_people(faces_by_person(connection, values))
        writer.write_index()  # first of all, so that there is something to open
        writer.write_photos(faces_by_photo(connection, values))
    writer.write_overviews()
    unreadable = []
    for done, sentence in enumerate(writer.pictures.draw(), start=1):
        progress(done, len(writer.pictures))
        if sentence is not None:
            unreadable.append(sentence)
    return SiteSummary(
        people=len(writer.cards),
        photos=len(writer.photos),
        pictures=len(writer.pictures) - len(unreadable),
        removed=folder.sweep(),
        unreadable=tuple(unreadable),
    )


class _Writer:
    """Holds what the pages share while they are written."""

    people: Mapping[int, SitePerson]
    photos: dict[int, SitePhoto]
    company: CoOccurrence
    charted: set[int]

    def __init__(self, folder: SiteFolder, pictures: PageImages, now: datetime, version: str, *, drawn: bool) -> None:
        self._folder = folder
        self.pictures = pictures
        self._drawn = drawn
        self._made = {"made": now.strftime("%Y-%m-%d %H:%M"), "version": version}
        self.cards: list[_Card] = []
        self._felt: Counter[tuple[str, str]] = Counter()

    def _write(
        self, name: str, template: str, values: Mapping[str, object], *, up: str = "", data: object = None
    ) -> None:
        self._folder.write(name, page(template, values, up=up, data=data))

    def write_people(self, grouped: Iterable[tuple[int, list[SiteFace]]]) -> None:
        """A page for each visible person."""
        friends = self.company.closest(FRIENDS)
        for row, faces in grouped:
            person = self.people.get(row)
            if person is not None:
                self._write_person(person, faces, friends.get(row, ()))

    def _write_person(self, person: SitePerson, faces: Sequence[SiteFace], friends: Sequence[tuple[int, int]]) -> None:
        by_photo: dict[int, list[SiteFace]] = defaultdict(list)
        for face in faces:
            by_photo[face.photo].append(face)
        shown = sorted(
            ((self.photos[row], found) for row, found in by_photo.items() if row in self.photos),
            key=lambda pair: (pair[0].taken or "~", pair[0].row),
        )
        dates = [photo.taken[:10] for photo, _ in shown if photo.taken]
        if not shown:
            return
        crops = self._crops(faces)
        felt: Counter[tuple[str, str]] = Counter()
        for photo, found in shown:
            if photo.taken and person.row in self.charted:
                felt.update((photo.taken[:7], face.emotion) for face in found if face.emotion)
        values = {
            "person": person,
            "faces": sum(len(found) for _, found in shown),
            "photo_count": len(shown),
            "first": dates[0] if dates else None,
            "last": dates[-1] if dates else None,
            "crops": crops,
            "friends": [
                {"person_id": self.people[row].person_id, "label": self.people[row].label, "photos": photos}
                for row, photos in friends
                if row in self.people
            ],
        }
        data = photo_data([self._row(photo, found, {person.row: 0}) for photo, found in shown], [person.label])
        self._write(
            f"people/{person.person_id}.html", "person.html", {**values, **emotion_charts(felt)}, up="../", data=data
        )
        years = sorted({date[:4] for date in dates})
        told = "" if not years else years[0] if len(years) == 1 else f"{years[0]}–{years[-1]}"
        self.cards.append(_Card(person, len(shown), told, crops[0] if crops else None))

    def _crops(self, faces: Sequence[SiteFace]) -> list[str]:
        if not self._drawn:
            return []
        best = best_faces(faces, self.photos, PORTRAITS)
        for face in best:
            self.pictures.want_face(self.photos[face.photo], face)
        return [face.picture(self.photos[face.photo]) for face in best]

    def _row(self, photo: SitePhoto, faces: Sequence[SiteFace], places: Mapping[int, int]) -> PhotoRow:
        boxes = [[*_thousandths(face.box), places.get(face.person, -1) if face.person else -1] for face in faces]
        return photo.picture, photo.album, photo.file, photo.taken, photo.width / photo.height, boxes

    def write_photos(self, grouped: Iterable[tuple[int, list[SiteFace]]]) -> None:
        """A page for each year, and the page that lists them."""
        seen = {row: self._visible(faces) for row, faces in grouped if row in self.photos}
        years: dict[str, list[SitePhoto]] = defaultdict(list)
        for photo in self.photos.values():
            years[photo.taken[:4] or "undated"].append(photo)
            if self._drawn:
                self.pictures.want_photo(photo)
            for face in seen.get(photo.row, ()):
                if photo.taken and face.emotion:
                    self._felt[photo.taken[:7], face.emotion] += 1
        listed = []
        for name, photos in years.items():
            faces = [(photo, seen.get(photo.row, [])) for photo in photos]
            self._write_year(name, faces)
            listed.append(
                {
                    "name": name,
                    "label": "Without a date" if name == "undated" else name,
                    "photos": len(photos),
                    "faces": sum(len(found) for _, found in faces),
                }
            )
        self._write("photos.html", "years.html", {"years": listed})

    def _visible(self, faces: Sequence[SiteFace]) -> list[SiteFace]:
        """Hidden people's faces are left out; nobody's stay."""
        return [face for face in faces if face.person is None or face.person in self.people]

    def _write_year(self, name: str, photos: Sequence[tuple[SitePhoto, list[SiteFace]]]) -> None:
        people: dict[int, int] = {}
        for _, faces in photos:
            for face in faces:
                if face.person is not None:
                    people.setdefault(face.person, len(people))
        label = "Photos without a date" if name == "undated" else f"Photos of {name}"
        rows = [self._row(photo, faces, people) for photo, faces in photos]
        self._write(
            f"years/{name}.html",
            "year.html",
            {"label": label, "photo_count": len(photos)},
            up="../",
            data=photo_data(rows, [self.people[row].label for row in people]),
        )

    def write_index(self) -> None:
        """The page of people, from which all the others are reached."""
        self.cards.sort(key=lambda card: (-card.photos, card.person.name is None, card.person.label))
        cards = [
            {
                "label": card.person.label,
                "person_id": card.person.person_id,
                "photos": card.photos,
                "years": card.years,
                "crop": card.crop,
            }
            for card in self.cards
        ]
        self._write("index.html", "index.html", {"people": cards, "photo_count": len(self.photos), **self._made})

    def write_overviews(self) -> None:
        """Expressions and company."""
        self._write("expressions.html", "expressions.html", emotion_charts(self._felt))
        self._write("company.html", "company.html", {"rows": list(self._matrix()), "pairs": list(self._pairs())})

    def _matrix(self) -> Iterator[dict[str, object]]:
        people = [card.person for card in self.cards[:IN_MATRIX]]
        rows = {person.row for person in people}
        together: dict[tuple[int, int], int] = {}
        for one, other, photos in self._shared_photos():
            if one in rows and other in rows:
                together[one, other] = together[other, one] = photos
        most = max(together.values(), default=1)
        for person in people:
            cells = [
                None if other is person else _cell(together.get((person.row, other.row), 0), most) for other in people
            ]
            yield {"label": person.label, "person_id": person.person_id, "cells": cells}

    def _pairs(self) -> Iterator[dict[str, object]]:
        ranked = sorted(self._shared_photos(), key=lambda pair: (-pair[2], pair[0], pair[1]))
        for one, other, photos in ranked[:PAIRS]:
            yield {"one": self.people[one], "other": self.people[other], "photos": photos}

    def _shared_photos(self) -> Iterator[tuple[int, int, int]]:
        found = self.company
        return zip(found.one.tolist(), found.other.tolist(), found.photos.tolist(), strict=True)


def _cell(photos: int, most: int) -> dict[str, int]:
    """A count with how dark it is, 0 to 4."""
    return {"photos": photos, "heat": 0 if not photos else 1 + min(3, 4 * photos // (most + 1))}


def _thousandths(box: BoundingBox) -> list[int]:
    """The part of a box that lies within the photo. Called for each face of the catalogue, twice."""
    left, top, right, bottom = box.left, box.top, box.left + box.width, box.top + box.height
    x = 0 if left <= 0 else _PARTS if left >= 1 else int(_PARTS * left + 0.5)
    y = 0 if top <= 0 else _PARTS if top >= 1 else int(_PARTS * top + 0.5)
    across = 0 if right <= 0 else _PARTS if right >= 1 else int(_PARTS * right + 0.5)
    down = 0 if bottom <= 0 else _PARTS if bottom >= 1 else int(_PARTS * bottom + 0.5)
    return [x, y, across - x, down - y]
