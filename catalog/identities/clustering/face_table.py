"""Who is enrolled and who belongs to whom, read at once for a clustering: arrays inside this room, never beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select

from catalog.identities.clustering.demographics import NEVER, Demographics, DemographicThresholds
from catalog.identities.clustering.similarity_graph import Flags, Floats, Ints, SearchCoverage
from catalog.store.tables import assignments, faces, persons, photos, searches
from catalog.store.upsert import batches


@dataclass(frozen=True, slots=True)
class SeedFaceThresholds:
    """What a face must reach to make a person of its own; below it may only join one."""

    confidence: float
    """0-100."""
    side: float
    """Geometric mean of the box's sides, in pixels of the original photo."""
    sharpness: float
    """0-100; passed where it was not measured."""
    yaw: float
    """Largest turn to the side, degrees; passed where it was not measured."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTable:
    """The faces of one gallery in the order of content and box, so that nothing depends on when they were enrolled.

    ``person`` holds row ids of persons, -1 for none; ``epoch`` the night of enrollment; ``searched`` the faces whose
    neighbors were asked for and given in full.
    """

    rows: Ints
    face_ids: Sequence[str]
    photo: Ints
    person: Ints
    human: Flags
    named: Flags
    founder: Flags
    searched: Flags
    asked: Flags
    epoch: Ints
    quality: Floats
    taken: Sequence[str]
    """When each photo was taken, as stored; empty where nobody knows."""
    apparent: Demographics
    """What the faces say of their owners' birth and gender."""

    def __len__(self) -> int:
        return len(self.rows)

    def lists(self) -> SearchCoverage:
        return SearchCoverage(self.searched, self.epoch)

    def without(self, gone: Flags) -> FaceTable:
        """The same without some faces."""
        kept = np.flatnonzero(~gone)
        return FaceTable(
            rows=self.rows[kept],
            face_ids=[self.face_ids[at] for at in kept.tolist()],
            photo=self.photo[kept],
            person=self.person[kept],
            human=self.human[kept],
            named=self.named[kept],
            founder=self.founder[kept],
            searched=self.searched[kept],
            asked=self.asked[kept],
            epoch=self.epoch[kept],
            quality=self.quality[kept],
            taken=[self.taken[at] for at in kept.tolist()],
            apparent=self.apparent.at(kept),
        )

    def places(self, rows: Sequence[int] | Ints) -> Ints:
        """Positions of faces by their row ids, -1 for those that are not here."""
        if not len(self.rows) or not len(rows):
            return np.full(len(rows), -1, dtype=np.int64)
        order = np.argsort(self.rows)
        wanted = np.asarray(rows, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.rows, wanted, sorter=order), len(order) - 1)
        return np.where(self.rows[order[at]] == wanted, order[at], -1)


def read_face_table(
    connection: Connection,
    *,
    engine: str,
    gallery: str,
    bars: SeedFaceThresholds,
    apparent: DemographicThresholds = NEVER,
) -> FaceTable:
    """Every face of the gallery that no human called no face."""
    query = (
        select(
            faces.c.id,
            faces.c.face_id,
            faces.c.photo_id,
            faces.c.box_width,
            faces.c.box_height,
            faces.c.confidence,
            faces.c.yaw,
            faces.c.sharpness,
            faces.c.scan_id,
            faces.c.age_low,
            faces.c.age_high,
            faces.c.gender,
            faces.c.gender_confidence,
            photos.c.width,
            photos.c.height,
            photos.c.taken_at,
            assignments.c.person_id,
            assignments.c.by,
            persons.c.name,
            searches.c.complete,
        )
        .select_from(
            faces.join(photos, photos.c.id == faces.c.photo_id)
            .outerjoin(assignments, assignments.c.face_id == faces.c.id)
            .outerjoin(persons, persons.c.id == assignments.c.person_id)
            .outerjoin(searches, searches.c.face_id == faces.c.id)
        )
        .where(faces.c.engine == engine, faces.c.gallery == gallery, faces.c.not_a_face.is_(False))
        .order_by(photos.c.sha256, faces.c.box_left, faces.c.box_top, faces.c.id)
    )
    found = connection.execute(query).all()
    columns = list(zip(*found, strict=True)) if found else [()] * 20
    (
        ids,
        face_ids,
        photo,
        width,
        height,
        confidence,
        yaw,
        sharpness,
        scan,
        young,
        old,
        gender,
        sure,
        across,
        down,
        taken,
        person,
        by,
        name,
        complete,
    ) = columns
    side = np.sqrt(np.array(width, dtype=float) * across * np.array(height, dtype=float) * down)
    sharp = np.array([100.0 if value is None else value for value in sharpness], dtype=float)
    turned = np.array([0.0 if value is None else abs(value) for value in yaw], dtype=float)
    certain = np.array(confidence, dtype=float)
    dates = [value or "" for value in taken]
    return FaceTable(
        rows=np.array(ids, dtype=np.int64),
        face_ids=face_ids,
        photo=np.array(photo, dtype=np.int64),
        person=np.array([-1 if value is None else value for value in person], dtype=np.int64),
        human=np.array([value == "human" for value in by], dtype=bool),
        named=np.array([value is not None for value in name], dtype=bool),
        founder=(certain >= bars.confidence) & (side >= bars.side) & (sharp >= bars.sharpness) & (turned <= bars.yaw),
        searched=np.array([bool(value) for value in complete], dtype=bool),
        asked=np.array([value is not None for value in complete], dtype=bool),
        epoch=np.array([0 if value is None else value for value in scan], dtype=np.int64),
        taken=dates,
        apparent=Demographics.of_faces(
            dates, list(zip(young, old, strict=True)), list(zip(gender, sure, strict=True)), apparent
        ),
        quality=np.minimum(side, 200.0) * (0.2 + sharp / 100.0) * np.cos(np.radians(np.minimum(turned, 89.0))),
    )


def person_by_face_row(connection: Connection, *, engine: str, gallery: str) -> dict[int, int]:
    """The person of each face of a gallery by row ids, -1 for none."""
    query = (
        select(faces.c.id, assignments.c.person_id)
        .outerjoin_from(faces, assignments, assignments.c.face_id == faces.c.id)
        .where(faces.c.engine == engine, faces.c.gallery == gallery)
    )
    return {row: -1 if person is None else person for row, person in connection.execute(query)}


def rows_still_there(connection: Connection, rows: Sequence[int]) -> set[int]:
    """Those of some faces, by row ids, that nobody took out or called no face meanwhile.

    None of them goes before this transaction, which writes, ends.
    """
    return {
        row
        for some in batches(rows)
        for row in connection.scalars(
            select(faces.c.id)
            .where(faces.c.id.in_(some), faces.c.not_a_face.is_(False))
            .with_for_update(read=True, key_share=True)
        )
    }


def same_photo_pairs(photo: Ints) -> Ints:
    """Every pair of positions whose faces share a photo, as an array of shape (k, 2)."""
    order = np.argsort(photo, kind="stable")
    pairs = []
    step = 1
    while True:
        shared = photo[order[:-step]] == photo[order[step:]] if step < len(order) else np.zeros(0, dtype=bool)
        if not shared.any():
            break
        pairs.append(np.stack((order[:-step][shared], order[step:][shared]), axis=1))
        step += 1
    return np.concatenate(pairs) if pairs else np.zeros((0, 2), dtype=np.int64)
