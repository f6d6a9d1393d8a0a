"""Annotated copies of photos for `analyze --annotate` and `compare --annotate`: boxes and labels.

Labels are Latin text in Pillow's built-in font, so that they look the same on every machine. Names can be in any
script; the pages show them with the browser's fonts.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from catalog.domain.faces import BoundingBox, Comparison, Face
from catalog.domain.opened_photo import OpenedPhoto

_YES, _NO, _PLAIN = (46, 204, 113), (160, 160, 160), (255, 213, 74)
_SIDE = 1600
"""Longest side of the annotated image, pixels."""
_GAP = 16


def draw_analysis(photo: OpenedPhoto, faces: Sequence[Face]) -> bytes:
    """Return a JPEG of the photo with boxes, landmarks, numbers, gender, age and strongest emotion of the faces."""
    image = _reduced_image(photo)
    pen = _Pen(image)
    for face in faces:
        for point in face.landmarks:
            pen.dot(point.x, point.y)
    for number, face in enumerate(faces, start=1):
        pen.box(face.box, _PLAIN, [str(number), *_attribute_texts(face)])
    return _jpeg(image)


def draw_comparison(source: OpenedPhoto, target: OpenedPhoto, comparison: Comparison, threshold: float) -> bytes:
    """Return a JPEG of both photos side by side: the source face, and the target's faces with their similarity.

    Faces with a similarity of at least ``threshold`` are green.
    """
    left, right = _reduced_image(source), _reduced_image(target)
    _Pen(left).box(comparison.source.box, _PLAIN, ["source"])
    pen = _Pen(right)
    for face in comparison.unmatched:
        pen.box(face.box, _NO, ["no match"])
    for compared in reversed(comparison.matches):
        matches = compared.similarity >= threshold
        pen.box(compared.face.box, _YES if matches else _NO, [f"{compared.similarity:.1f}"])
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
    if attributes.age_range is not None:
        texts.append(f"{attributes.age_range.low}-{attributes.age_range.high}")
    if attributes.emotions:
        texts.append(f"{attributes.emotions[0].type.value.lower()} {attributes.emotions[0].confidence:.0f}")
    return texts


class _Pen:
    """Draws on an image, with line width and font size that depend on its size."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)
        self._size = image.size
        longer = max(image.size)
        self._line = max(2, longer // 400)
        self._font = ImageFont.load_default(max(12, longer // 50))

    def dot(self, x: float, y: float) -> None:
        x, y, r = x * self._size[0], y * self._size[1], max(1, self._line // 2)
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=_PLAIN)

    def box(self, box: BoundingBox, color: tuple[int, int, int], texts: Sequence[str]) -> None:
        width, height = self._size
        edges = (box.left * width, box.top * height, box.right * width, box.bottom * height)
        self._draw.rectangle(edges, outline=color, width=self._line)
        self._label(edges, color, "  ".join(texts))

    def _label(self, edges: tuple[float, float, float, float], color: tuple[int, int, int], text: str) -> None:
        """Draw a label above the box, or inside it if there is no room above, and always inside the image."""
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=self._font)
        wide, high = right - left + 2 * self._line, bottom - top + 2 * self._line
        x = min(max(0, edges[0]), max(0, self._size[0] - wide))
        y = edges[1] - high if edges[1] >= high else max(0, edges[1])
        self._draw.rectangle((x, y, x + wide, y + high), fill=color)
        self._draw.text((x + self._line - left, y + self._line - top), text, font=self._font, fill="black")


def _reduced_image(photo: OpenedPhoto) -> Image.Image:
    image = Image.fromarray(photo.pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return image


def _jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=88, optimize=True)
    return buffer.getvalue()
