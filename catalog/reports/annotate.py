"""Annotated copies of photos for `analyze --annotate` and `compare --annotate`: boxes and labels.

Labels are Latin text in Pillow's built-in font, so that they look the same on every machine. Names can be in any
script; the pages show them with the browser's fonts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from catalog.domain.faces import BoundingBox, Comparison, Face
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photo_format import DRAWN
from catalog.reports.label_layout import LabelLayout, Rectangle

_YES, _NO, _PLAIN = (46, 204, 113), (160, 160, 160), (255, 213, 74)
_SIDE = 1600
"""Longest side of the annotated image, pixels."""
_GAP = 16
_MAX_AGE_SPAN = 30
"""A wider range of years says nothing and is not printed."""


def draw_analysis(photo: OpenedPhoto, faces: Sequence[Face]) -> bytes:
    """Return a JPEG of the photo with boxes, landmarks, numbers, gender, age and strongest emotion of the faces."""
    image = _reduced_image(photo)
    pen = _Pen(image, [face.box for face in faces])
    for face in faces:
        for point in face.landmarks:
            pen.dot(point.x, point.y)
    for number, face in enumerate(faces, start=1):
        pen.box(face.box, _PLAIN, [str(number), *_attribute_texts(face)])
    return _jpeg(pen.with_legend())


def draw_comparison(source: OpenedPhoto, target: OpenedPhoto, comparison: Comparison, threshold: float) -> bytes:
    """Return a JPEG of both photos side by side: the source face, and the target's faces with their similarity.

    Faces with a similarity of at least ``threshold`` are green.
    """
    left, right = _reduced_image(source), _reduced_image(target)
    source_pen = _Pen(left, [comparison.source.box])
    source_pen.box(comparison.source.box, _PLAIN, ["source"])
    compared_boxes = [compared.face.box for compared in comparison.matches]
    pen = _Pen(right, [*compared_boxes, *(face.box for face in comparison.unmatched)])
    for face in comparison.unmatched:
        pen.box(face.box, _NO, ["no match"])
    for compared in reversed(comparison.matches):
        matches = compared.similarity >= threshold
        pen.box(compared.face.box, _YES if matches else _NO, [f"{compared.similarity:.1f}"])
    left, right = source_pen.with_legend(), pen.with_legend()
    height = max(left.height, right.height)
    canvas = Image.new("RGB", (left.width + _GAP + right.width, height), "white")
    canvas.paste(left, (0, (height - left.height) // 2))
    canvas.paste(right, (left.width + _GAP, (height - right.height) // 2))
    return _jpeg(canvas)


def _attribute_texts(face: Face) -> list[str]:
    """Return texts for the measured attributes."""
    attributes = face.attributes
    texts = []
    if attributes.gender is not None:
        texts.append(attributes.gender.value.value)
    if attributes.age_range is not None and attributes.age_range.high - attributes.age_range.low <= _MAX_AGE_SPAN:
        texts.append(f"{attributes.age_range.low}-{attributes.age_range.high}")
    if attributes.emotions:
        texts.append(f"{attributes.emotions[0].type.value.lower()} {attributes.emotions[0].confidence:.0f}")
    return texts


class _Pen:
    """Draws on an image, with line width and font size that depend on its size.

    A label that finds no free place beside its box moves into a legend below the image, and its first text stays.
    """

    def __init__(self, image: Image.Image, boxes: Sequence[BoundingBox]) -> None:
        self._image = image
        self._draw = ImageDraw.Draw(image)
        longer = max(image.size)
        self._line = max(2, longer // 400)
        self._font = ImageFont.load_default(max(12, longer // 50))
        self._layout = LabelLayout(*image.size, [self._rectangle(box) for box in boxes])
        self._legend: list[str] = []

    def dot(self, x: float, y: float) -> None:
        x, y, r = x * self._image.width, y * self._image.height, max(1, self._line // 2)
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=_PLAIN)

    def box(self, box: BoundingBox, color: tuple[int, int, int], texts: Sequence[str]) -> None:
        edges = self._rectangle(box)
        self._draw.rectangle((edges.left, edges.top, edges.right, edges.bottom), outline=color, width=self._line)
        if self._label(edges, color, "  ".join(texts)):
            return
        self._legend.append("  ".join(texts))
        self._label(edges, color, texts[0])

    def with_legend(self) -> Image.Image:
        """Return the image, extended by the labels that found no place."""
        if not self._legend:
            return self._image
        line_height = self._text_size("Ag")[1]
        canvas = Image.new("RGB", (self._image.width, self._image.height + line_height * len(self._legend)), "white")
        canvas.paste(self._image)
        draw = ImageDraw.Draw(canvas)
        for number, text in enumerate(self._legend):
            draw.text((self._line, self._image.height + number * line_height), text, font=self._font, fill="black")
        return canvas

    def _rectangle(self, box: BoundingBox) -> Rectangle:
        width, height = self._image.size
        return Rectangle(box.left * width, box.top * height, box.right * width, box.bottom * height)

    def _text_size(self, text: str) -> tuple[int, int]:
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=self._font)
        return math.ceil(right - left) + 2 * self._line, math.ceil(bottom - top) + 2 * self._line

    def _label(self, face: Rectangle, color: tuple[int, int, int], text: str) -> bool:
        """Draw a label beside a face. Returns False if there is no free place."""
        place = self._layout.place(face, *self._text_size(text))
        if place is None:
            return False
        left, top, _, _ = self._draw.textbbox((0, 0), text, font=self._font)
        self._draw.rectangle((place.left, place.top, place.right - 1, place.bottom - 1), fill=color)
        self._draw.text(
            (place.left + self._line - left, place.top + self._line - top), text, font=self._font, fill="black"
        )
        return True


def _reduced_image(photo: OpenedPhoto) -> Image.Image:
    image = Image.fromarray(photo.pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return image


def _jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=88, optimize=True, comment=DRAWN)
    return buffer.getvalue()
