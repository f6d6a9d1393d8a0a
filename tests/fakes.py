"""A small engine that really finds, compares and stores faces, on drawings instead of photos.

It lets the tests of other rooms run in milliseconds. It passes the same contract as the real engines
(``tests/contracts/engine.py``), so what holds against it holds against them.

How to draw for it
    A *face* is a filled square of a strong color on a grey background. Its color is who it is: the same color is the
    same person, a slightly different shade a look-alike, the colors of :data:`PEOPLE` are strangers to one another.
    A white bar across the lower part is a smile. A square smaller than 12 pixels is found and rejected as too small.
    Squares must not touch, and straight horizontal and vertical gaps must part them.

    >>> save_drawing(folder / "a.jpg", [Drawn("ann", left=40, top=40, size=60), Drawn("bob", left=140, top=40)])
    >>> engine = FakeEngine()
    >>> engine.enroll(open_image(data), sha256)

    ``draw`` gives the picture, ``drawing_bytes`` an encoded file, ``save_drawing`` writes one; the format follows the
    name. All survive JPEG and being halved in size. ``note`` draws a pattern of grey that changes the bytes (another
    photo) and nothing else.

How alike
    similarity = 100 * exp(-(d / 60)^2) with d the distance of two colors in RGB: d = 0 is 100, 28 is 80, 6 is 99,
    and people of :data:`PEOPLE` lie below 20. :func:`shade` makes a look-alike at a wanted similarity.

How it can be made to misbehave
    ``before`` is called with the operation and the photo's sha256 or face id ahead of each call: let it raise
    ``PhotoError`` or ``EngineError``, sleep or count. ``dollars`` is the price of a call, 0 unless given.
    ``lends_group_means`` and ``has_user_vectors`` switch the two optional capabilities on.
    ``FakeGallery`` outlives engines: open two engines on one to play two processes.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import MAX_FACES, MAX_MATCHES, EngineCapabilities, GroupMeans
from catalog.domain.errors import NoFaceError
from catalog.domain.faces import (
    Analysis,
    BooleanAttribute,
    BoundingBox,
    ComparedFace,
    Comparison,
    Emotion,
    EmotionType,
    EnrolledFace,
    Enrollment,
    Face,
    FaceAttributes,
    FaceRecord,
    Landmark,
    Match,
    NeighborList,
    Pose,
    Quality,
    RejectedFace,
    RejectionReason,
    SearchResult,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.user_vectors import UserVectors
from tests.fake_gallery import FakeGallery, FakeGroupMeans, FakeUserVectors, color_similarity

PEOPLE = {
    "ann": (220, 30, 30),
    "bob": (30, 200, 30),
    "cleo": (40, 40, 230),
    "dan": (230, 210, 20),
    "eve": (220, 30, 220),
    "finn": (20, 210, 220),
    "gil": (120, 20, 130),
    "hana": (240, 130, 20),
    "ivan": (20, 110, 100),
    "june": (130, 100, 10),
    "kim": (140, 140, 250),
    "lou": (150, 250, 140),
}
"""Colors of people who are strangers to one another: no two reach a similarity of 20."""

_SMALLEST_KEPT = 12
_BACKGROUND = 128

Color = tuple[int, int, int]


# ------------------------------------------------------------------------------------------------------ drawing


@dataclass(frozen=True)
class Drawn:
    """One face of a drawing: ``person`` is a name of :data:`PEOPLE` or an RGB color; places are pixels."""

    person: str | Color
    left: int = 40
    top: int = 40
    size: int = 60
    smiling: bool = False

    @property
    def color(self) -> Color:
        return PEOPLE[self.person] if isinstance(self.person, str) else self.person


def draw(faces: Iterable[Drawn] = (), *, width: int = 320, height: int = 200, note: int = 0) -> Image.Image:
    """A drawing; ``note`` 0 to 4095 makes it another photo with the same faces."""
    image = Image.new("RGB", (width, height), (_BACKGROUND,) * 3)
    pencil = ImageDraw.Draw(image)
    for bit in range(12):  # a row of grey marks along the lower border
        grey = 170 if note >> bit & 1 else 90
        if note:
            pencil.rectangle((bit * 16, height - 8, bit * 16 + 7, height - 1), fill=(grey,) * 3)
    for face in faces:
        right, bottom = face.left + face.size - 1, face.top + face.size - 1
        pencil.rectangle((face.left, face.top, right, bottom), fill=face.color)
        if face.smiling:
            bar = max(2, face.size // 6)
            low = face.top + face.size * 2 // 3
            pencil.rectangle((face.left + bar, low, right - bar, low + bar), fill=(250, 250, 250))
    return image


def drawing_bytes(faces: Iterable[Drawn] = (), *, format: str = "JPEG", **options: int) -> bytes:  # noqa: A002
    """A drawing as a file's bytes; ``options`` as for :func:`draw`."""
    buffer = BytesIO()
    draw(faces, **options).save(buffer, format, **({"quality": 92} if format == "JPEG" else {}))
    return buffer.getvalue()


def save_drawing(path: Path, faces: Iterable[Drawn] = (), **options: int) -> Path:
    """Write a drawing as JPEG, or as PNG where the name ends so, making its folder where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "PNG" if path.suffix.lower() == ".png" else "JPEG"
    path.write_bytes(drawing_bytes(faces, format=kind, **options))
    return path


def opened(image: Image.Image) -> OpenedPhoto:
    """A drawing as engines meet it, without the way through a file."""
    pixels = np.ascontiguousarray(np.asarray(image.convert("RGB")))
    return OpenedPhoto(pixels=pixels, width=image.width, height=image.height, format="PNG")


def shade(person: str | Color, similarity: float) -> Color:
    """A color whose similarity to a person's is about the one asked for (whole numbers of color allow no better)."""
    color = np.array(PEOPLE[person] if isinstance(person, str) else person, float)
    distance = 60 * math.sqrt(-math.log(similarity / 100))
    # Away from the nearer end of each channel, so that the color stays one.
    direction = np.where(color < 128, 1.0, -1.0) / math.sqrt(3)
    red, green, blue = np.rint(color + direction * distance).astype(int).tolist()
    return red, green, blue


# ------------------------------------------------------------------------------------------------------ seeing


@dataclass(frozen=True)
class _Seen:
    face: Face
    color: NDArray[np.float64]
    side: float


def _boxes(mask: NDArray[np.bool_], left: int = 0, top: int = 0) -> Iterator[tuple[int, int, int, int]]:
    """Rectangles of a mask, found by cutting it along empty rows and columns until nothing can be cut."""
    (rows,), (columns,) = np.nonzero(mask.any(axis=1)), np.nonzero(mask.any(axis=0))
    if not rows.size:
        return
    parts = [
        (top_row, bottom_row, left_column, right_column)
        for top_row, bottom_row in _runs(rows)
        for left_column, right_column in _runs(columns)
    ]
    if len(parts) == 1:
        top_row, bottom_row, left_column, right_column = parts[0]
        yield left + left_column, top + top_row, right_column - left_column, bottom_row - top_row
        return
    for top_row, bottom_row, left_column, right_column in parts:
        yield from _boxes(mask[top_row:bottom_row, left_column:right_column], left + left_column, top + top_row)


def _runs(places: NDArray[np.int64]) -> list[tuple[int, int]]:
    breaks = np.nonzero(np.diff(places) > 2)[0]
    starts = [int(places[0]), *(int(places[i + 1]) for i in breaks)]
    ends = [*(int(places[i]) + 1 for i in breaks), int(places[-1]) + 1]
    return list(zip(starts, ends, strict=True))


def _look(photo: OpenedPhoto) -> list[_Seen]:
    pixels = photo.pixels.astype(np.int16)
    height, width = pixels.shape[:2]
    colorful = pixels.max(axis=2) - pixels.min(axis=2) > 50
    seen_faces = []
    for left, top, across, down in _boxes(colorful):
        if across < 4 or down < 4:
            continue
        patch = pixels[top : top + down, left : left + across]
        color = patch[down // 4 : down // 2, across // 4 : across * 3 // 4].reshape(-1, 3).mean(axis=0)
        mouth = patch[int(down * 0.68) : max(int(down * 0.68) + 1, int(down * 0.78)), across // 3 : across * 2 // 3]
        smiling = bool(mouth.min(axis=2).mean() > 200)
        box = BoundingBox(left / width, top / height, across / width, down / height)
        side = math.sqrt(across * down) * photo.width / width
        seen_faces.append(_Seen(_describe(box, color, smiling), color, side))
    seen_faces.sort(key=lambda item: -item.face.box.area)
    return seen_faces[:MAX_FACES]


def _describe(box: BoundingBox, color: NDArray[np.float64], smiling: bool) -> Face:
    places = {"eyeLeft": (0.3, 0.3), "eyeRight": (0.7, 0.3), "mouthLeft": (0.3, 0.7), "mouthRight": (0.7, 0.7)}
    places["nose"] = (0.5, 0.5)
    happy, calm = (99.0, 1.0) if smiling else (2.0, 98.0)
    emotions = sorted((Emotion(EmotionType.HAPPY, happy), Emotion(EmotionType.CALM, calm)), key=lambda e: -e.confidence)
    return Face(
        box=box,
        confidence=99.5,
        landmarks=tuple(
            Landmark(name, box.left + x * box.width, box.top + y * box.height) for name, (x, y) in places.items()
        ),
        pose=Pose(0.0, 0.0, 0.0),
        quality=Quality(brightness=float(color.mean()) / 2.55, sharpness=90.0),
        attributes=FaceAttributes(smile=BooleanAttribute(smiling, 99.0), emotions=tuple(emotions)),
    )


# ------------------------------------------------------------------------------------------------------ engine


class FakeEngine:
    """See the top of this file. ``calls`` counts what would have been billed."""

    def __init__(
        self,
        gallery: FakeGallery | None = None,
        *,
        model: str = "fake/1",
        dollars: Decimal = Decimal(0),
        before: Callable[[Operation, str], None] | None = None,
        lends_group_means: bool = False,
        has_user_vectors: bool = False,
        name: str = "fake",
    ) -> None:
        self.name = name
        self.capabilities = EngineCapabilities(
            is_paid=bool(dollars), lends_group_means=lends_group_means, has_user_vectors=has_user_vectors
        )
        self.unreported: list[Charge] = []
        """Charges that the next call of take_unreported_charges returns."""
        self.model = model
        self.gallery = FakeGallery() if gallery is None else gallery
        self.calls: Counter[Operation] = Counter()
        self.group_means: GroupMeans | None = FakeGroupMeans(self.gallery) if lends_group_means else None
        self.user_vectors: UserVectors | None = (
            FakeUserVectors(
                self.gallery,
                self._call,
                lambda photo: [(seen_face.face, seen_face.color) for seen_face in _look(photo)],
            )
            if has_user_vectors
            else None
        )
        self._dollars = dollars
        self._before = before

    def analyze(self, photo: OpenedPhoto) -> Analysis:
        charges = self._call(Operation.DETECT_FACES)
        return Analysis(tuple(seen_face.face for seen_face in _look(photo)), charges)

    def enroll(self, photo: OpenedPhoto, sha256: str) -> Enrollment:
        charges = self._call(Operation.INDEX_FACES, sha256)
        records, rejected = [], []
        with self.gallery.lock:
            enrolled = [self.gallery.faces[i] for i in self.gallery.photos.get(sha256, []) if i in self.gallery.faces]
            ids = []
            for seen_face in _look(photo):
                if seen_face.side < _SMALLEST_KEPT:
                    rejected.append(RejectedFace(seen_face.face, (RejectionReason.SMALL_BOUNDING_BOX,)))
                    continue
                known_ids = [face.face_id for face, _ in enrolled if face.box.iou(seen_face.face.box) > 0.5]
                face_id = known_ids[0] if known_ids else str(uuid.uuid4())
                face = EnrolledFace(face_id, sha256, seen_face.face.box, seen_face.face.confidence)
                self.gallery.faces[face_id] = (face, seen_face.color)
                ids.append(face_id)
                records.append(FaceRecord(face_id, seen_face.face))
            self.gallery.photos[sha256] = ids
        return Enrollment(tuple(records), tuple(rejected), charges)

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        charges = self._call(Operation.SEARCH_FACES, face_id)
        with self.gallery.lock:
            _, color = self.gallery.faces[face_id]
            matches = self._matches(color, threshold, without=face_id)
        return NeighborList(face_id, matches[:limit], len(matches) <= limit, charges)

    def search(
        self, photo: OpenedPhoto, threshold: float, limit: int = MAX_MATCHES, box: BoundingBox | None = None
    ) -> SearchResult:
        charges = self._call(Operation.SEARCH_FACES_BY_IMAGE)
        seen_faces = _look(photo)
        if box is not None:
            seen_faces = sorted((s for s in seen_faces if s.face.box.iou(box) > 0), key=lambda s: -s.face.box.iou(box))
        if not seen_faces:
            raise NoFaceError("The photo shows no face.")
        return SearchResult(seen_faces[0].face, self._matches(seen_faces[0].color, threshold)[:limit], charges)

    def compare(self, source: OpenedPhoto, target: OpenedPhoto, threshold: float) -> Comparison:
        charges = self._call(Operation.COMPARE_FACES)
        source_faces, target_faces = _look(source), _look(target)
        if not source_faces or not target_faces:
            raise NoFaceError("One of the photos shows no face.")
        compared = [
            ComparedFace(target_face.face, color_similarity(source_faces[0].color, target_face.color))
            for target_face in target_faces
        ]
        matches = sorted((c for c in compared if c.similarity >= threshold), key=lambda c: -c.similarity)
        unmatched = tuple(c.face for c in compared if c.similarity < threshold)
        return Comparison(source_faces[0].face, tuple(matches), unmatched, charges)

    def remove(self, face_ids: Iterable[str]) -> set[str]:
        with self.gallery.lock:
            return {face_id for face_id in face_ids if self.gallery.faces.pop(face_id, None)}

    def enrolled(self) -> Iterator[EnrolledFace]:
        with self.gallery.lock:
            return iter([face for face, _ in self.gallery.faces.values()])

    def quote(self, operation: Operation, calls: int) -> Charge:
        return Charge(operation, calls, self._dollars * calls)

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        charges, self.unreported = tuple(self.unreported), []
        return charges

    def close(self) -> None:
        pass

    def _call(self, operation: Operation, subject: str = "") -> tuple[Charge, ...]:
        if self._before is not None:
            self._before(operation, subject)
        self.calls[operation] += 1
        return (self.quote(operation, 1),) if self._dollars else ()

    def _matches(self, color: NDArray[np.float64], threshold: float, without: str | None = None) -> tuple[Match, ...]:
        with self.gallery.lock:
            matches = [
                Match(face_id, color_similarity(color, gallery_color))
                for face_id, (_, gallery_color) in self.gallery.faces.items()
                if face_id != without
            ]
        return tuple(
            sorted((m for m in matches if m.similarity >= threshold), key=lambda m: (-m.similarity, m.face_id))
        )
