"""Write the pages: people, the photos of each person, all photos by year, expressions, co-occurrence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import Opener
from catalog.reports.co_occurrence import CoOccurrence, co_occurrence
from catalog.reports.filters import ReportFilters, parameters
from catalog.reports.gallery_filter import Gallery, gallery_values
from catalog.reports.reading import reading
from catalog.reports.site.charts import emotion_charts
from catalog.reports.site.emotion_sums import EmotionSums
from catalog.reports.site.output_folder import SiteFolder
from catalog.reports.site.page_data import (
    SiteFace,
    SitePerson,
    SitePhoto,
    appearances_by_person,
    faces_by_person,
    faces_by_photo,
    most_seen,
    read_people,
    read_photos,
)
from catalog.reports.site.page_images import PageImages, Read, best_faces
from catalog.reports.site.pages import PhotoRow, matrix_cell, page, photo_data, thousandths
from catalog.store.database import Database

PORTRAITS = 4
"""Crops on the page of a person. The first one is also on the page of people."""
COMPANIONS = 12
CHARTED = 200
"""Persons with charts: those with the most faces. A chart takes milliseconds and says little about few faces."""
IN_MATRIX = 20
PAIRS = 50


@dataclass(frozen=True, slots=True)
class SiteSummary:
    """Counts of the written pages. ``unreadable``: a sentence for each photo that could not be shown."""

    people: int
    photos: int
    pictures: int
    removed: int
    unreadable: tuple[str, ...]


@dataclass
class _Card:
    """An entry of the page of people."""

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
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> SiteSummary:
    """Write the pages of the whole catalogue, draw new images, and remove old files.

    ``read`` returns the bytes of a photo by uri. Without ``pictures`` no images are drawn or kept. Without ``gallery``,
    or if it holds no face, uses the gallery with the latest enrolled face. ``progress`` is called with the number of
    opened photos and their total.
    """
    writer = _Writer(folder, PageImages(folder, read, opener, workers), now, version, drawn=pictures)
    with reading(database) as connection:
        writer.people = read_people(connection)
        writer.photos = read_photos(connection)
        values = gallery_values(connection, gallery)
        writer.charted = most_seen(connection, values, CHARTED)
        writer.co_occurrence = co_occurrence(connection, parameters(ReportFilters(), connection) | values)
        writer.appearances = appearances_by_person(connection)
        writer.write_people(faces_by_person(connection, values))
        writer.write_index()  # before the other pages, so that a user can open it early
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
    """State that the pages share while they are written."""

    people: Mapping[int, SitePerson]
    photos: dict[int, SitePhoto]
    co_occurrence: CoOccurrence
    appearances: Mapping[int, list[tuple[int, BoundingBox | None]]]
    charted: set[int]

    def __init__(self, folder: SiteFolder, pictures: PageImages, now: datetime, version: str, *, drawn: bool) -> None:
        self._folder = folder
        self.pictures = pictures
        self._drawn = drawn
        self._footer = {"created": now.strftime("%Y-%m-%d %H:%M"), "version": version}
        self.cards: list[_Card] = []
        self._emotions = EmotionSums()

    def _write(
        self, name: str, template: str, values: Mapping[str, object], *, up: str = "", data: object = None
    ) -> None:
        self._folder.write(name, page(template, values, up=up, data=data))

    def write_people(self, grouped: Iterable[tuple[int, list[SiteFace]]]) -> None:
        """Write a page for each visible person."""
        companions = self.co_occurrence.closest(COMPANIONS)
        for row, faces in grouped:
            person = self.people.get(row)
            if person is not None:
                self._write_person(person, faces, companions.get(row, ()))
        shown = {card.person.row for card in self.cards}
        for row in self.appearances.keys() - shown:
            if (person := self.people.get(row)) is not None:
                self._write_person(person, (), ())

    def _write_person(
        self, person: SitePerson, faces: Sequence[SiteFace], companions: Sequence[tuple[int, int]]
    ) -> None:
        by_photo: dict[int, list[SiteFace]] = defaultdict(list)
        for face in faces:
            by_photo[face.photo].append(face)
        named = dict(self.appearances.get(person.row, ()))
        for photo_row in named:
            by_photo.setdefault(photo_row, [])
        shown = sorted(
            ((self.photos[row], on_photo) for row, on_photo in by_photo.items() if row in self.photos),
            key=lambda pair: (pair[0].taken or "~", pair[0].row),
        )
        dates = [photo.taken[:10] for photo, _ in shown if photo.taken]
        if not shown:
            return
        crops = self._crops(faces)
        # A person may be only on files of exposures that do not count.
        count = sum(photo.counts for photo, _ in shown) or len(shown)
        emotions = EmotionSums()
        for photo, on_photo in shown:
            if len(photo.taken) >= len("YYYY-MM") and photo.counts and person.row in self.charted:
                for face in on_photo:
                    if face.emotion:
                        emotions.add(photo.taken, face.emotion, face.emotion_confidence, photo.taken[:10])
        values = {
            "person": person,
            "faces": sum(len(on_photo) for _, on_photo in shown),
            "photo_count": count,
            "first": dates[0] if dates else None,
            "last": dates[-1] if dates else None,
            "crops": crops,
            "companions": [
                {"person_id": self.people[row].person_id, "label": self.people[row].label, "photos": photos}
                for row, photos in companions
                if row in self.people
            ],
        }
        rows = [self._row(photo, on_photo, {person.row: 0}, named.get(photo.row)) for photo, on_photo in shown]
        data = photo_data(rows, [person.label], [person.person_id])
        self._write(
            f"people/{person.person_id}.html",
            "person.html",
            {**values, **emotion_charts(emotions, "days")},
            up="../",
            data=data,
        )
        years = sorted({date[:4] for date in dates})
        period = "" if not years else years[0] if len(years) == 1 else f"{years[0]}–{years[-1]}"
        self.cards.append(_Card(person, count, period, crops[0] if crops else None))

    def _crops(self, faces: Sequence[SiteFace]) -> list[str]:
        if not self._drawn:
            return []
        best = best_faces(faces, self.photos, PORTRAITS)
        for face in best:
            self.pictures.want_face(self.photos[face.photo], face)
        return [face.picture(self.photos[face.photo]) for face in best]

    def _row(
        self,
        photo: SitePhoto,
        faces: Sequence[SiteFace],
        index_by_person: Mapping[int, int],
        named: BoundingBox | None = None,
    ) -> PhotoRow:
        """Return a photo for the script. ``named``: box of the first person in the list, who has no face here."""
        boxes = [
            [*thousandths(face.box), index_by_person.get(face.person, -1) if face.person else -1] for face in faces
        ]
        if named is not None:
            boxes.append([*thousandths(named), 0])
        return photo.picture, photo.album, photo.file, photo.taken, photo.width / photo.height, boxes

    def write_photos(self, grouped: Iterable[tuple[int, list[SiteFace]]]) -> None:
        """Write a page for each year, and the page that lists the years."""
        visible_faces = {row: self._visible(faces) for row, faces in grouped if row in self.photos}
        years: dict[str, list[SitePhoto]] = defaultdict(list)
        for photo in self.photos.values():
            years[photo.taken[:4] or "undated"].append(photo)
            if self._drawn:
                self.pictures.want_photo(photo)
            for face in visible_faces.get(photo.row, ()):
                if len(photo.taken) >= len("YYYY-MM") and photo.counts and face.emotion:
                    self._emotions.add(photo.taken, face.emotion, face.emotion_confidence, face.person)
        listed = []
        for name, photos in years.items():
            faces = [(photo, visible_faces.get(photo.row, [])) for photo in photos]
            self._write_year(name, faces)
            listed.append(
                {
                    "name": name,
                    "label": "Without a date" if name == "undated" else name,
                    "photos": len(photos),
                    "faces": sum(len(on_photo) for _, on_photo in faces),
                }
            )
        self._write("photos.html", "years.html", {"years": listed})

    def _visible(self, faces: Sequence[SiteFace]) -> list[SiteFace]:
        """Leave out faces of hidden persons. Unassigned faces stay."""
        return [face for face in faces if face.person is None or face.person in self.people]

    def _write_year(self, name: str, photos: Sequence[tuple[SitePhoto, list[SiteFace]]]) -> None:
        people: dict[int, int] = {}
        for _, faces in photos:
            for face in faces:
                if face.person is not None:
                    people.setdefault(face.person, len(people))
        label = "Photos without a date" if name == "undated" else f"Photos of {name}"
        rows = [self._row(photo, faces, people) for photo, faces in photos]
        listed = [self.people[row] for row in people]
        self._write(
            f"years/{name}.html",
            "year.html",
            {"label": label, "photo_count": len(photos)},
            up="../",
            data=photo_data(rows, [person.label for person in listed], [person.person_id for person in listed]),
        )

    def write_index(self) -> None:
        """Write the page of people, which links to all other pages."""
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
        self._write("index.html", "index.html", {"people": cards, "photo_count": len(self.photos), **self._footer})

    def write_overviews(self) -> None:
        """Write the pages of expressions and co-occurrence."""
        self._write("expressions.html", "expressions.html", emotion_charts(self._emotions))
        self._write("company.html", "company.html", {"rows": list(self._matrix()), "pairs": list(self._pairs())})

    def _matrix(self) -> Iterator[dict[str, object]]:
        people = [card.person for card in self.cards[:IN_MATRIX]]
        rows = {person.row for person in people}
        together: dict[tuple[int, int], int] = {}
        for left_person, right_person, photos in self._shared_photos():
            if left_person in rows and right_person in rows:
                together[left_person, right_person] = together[right_person, left_person] = photos
        highest_count = max(together.values(), default=1)
        for person in people:
            cells = [
                None
                if right_person is person
                else matrix_cell(together.get((person.row, right_person.row), 0), highest_count)
                for right_person in people
            ]
            yield {"label": person.label, "person_id": person.person_id, "cells": cells}

    def _pairs(self) -> Iterator[dict[str, object]]:
        ranked = sorted(self._shared_photos(), key=lambda pair: (-pair[2], pair[0], pair[1]))
        for one, other, photos in ranked[:PAIRS]:
            yield {"one": self.people[one], "other": self.people[other], "photos": photos}

    def _shared_photos(self) -> Iterator[tuple[int, int, int]]:
        counts = self.co_occurrence
        return zip(counts.one.tolist(), counts.other.tolist(), counts.photos.tolist(), strict=True)
