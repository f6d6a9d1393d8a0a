"""Paint glasses, sunglasses, masks, hands and other objects over a face, placed by its mesh.

Photos with covered faces are rare in the data sets, so the heads of ``tools.fit_cover_heads`` are trained on painted
faces. Shapes, colors, light and positions are random. Everything is drawn at three times the size and reduced, so that
edges are as soft as in a photo.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Pixels = NDArray[np.uint8]
Points = NDArray[np.floating]

_SCALE = 3
_EYES = ((33, 133), (263, 362))
"""Mesh points of the outer and inner corner of each eye."""
_CHEEKS = (123, 147, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 376, 352)
"""Mesh points from the viewer's left cheek along the chin to the right cheek."""
_NOSE = (168, 6, 197, 195, 5)
"""Mesh points down the bridge of the nose."""
_FOREHEAD = (127, 162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389, 356)
_BROWS = (300, 293, 334, 296, 336, 107, 66, 105, 63, 70)


class Canvas:
    """A photo with a mesh, and layers that are drawn over it."""

    def __init__(self, pixels: Pixels, points: Points, rng: np.random.Generator) -> None:
        self.image = Image.fromarray(pixels)
        self.points = points[:, :2].astype(np.float64)
        self.rng = rng
        self.size = float(np.hypot(*(self.points[263] - self.points[33])))
        """Distance of the outer corners of the eyes, in pixels."""
        axis = self.points[263] - self.points[33]
        self.right = axis / max(float(np.hypot(*axis)), 1e-9)
        self.down = np.array([-self.right[1], self.right[0]])
        self.light = float(np.asarray(self.image.convert("L")).mean()) / 128

    def place(self, origin: Points, shape: Points) -> Points:
        """Return a shape in units of the eye distance, turned with the face and moved to ``origin``."""
        return origin + self.size * (shape[:, :1] * self.right + shape[:, 1:] * self.down)

    def fill(self, outline: Points, color: tuple[int, ...], opacity: float, *, fade: float = 0.0) -> None:
        """Fill a polygon. ``fade`` lowers the opacity from top to bottom by this share."""
        mask = self._mask()
        ImageDraw.Draw(mask).polygon(self._flat(outline), fill=round(255 * opacity))
        self._blend(mask, color, fade)

    def stroke(self, path: Points, color: tuple[int, ...], width: float, opacity: float = 1.0) -> None:
        """Draw a path. ``width`` in units of the eye distance."""
        mask = self._mask()
        pixels = max(1, round(width * self.size * _SCALE))
        ImageDraw.Draw(mask).line(self._flat(path), fill=round(255 * opacity), width=pixels, joint="curve")
        self._blend(mask, color, 0.0)

    def _mask(self) -> Image.Image:
        return Image.new("L", (self.image.width * _SCALE, self.image.height * _SCALE), 0)

    def _flat(self, path: Points) -> list[tuple[float, float]]:
        return [(float(x) * _SCALE, float(y) * _SCALE) for x, y in path]

    def _blend(self, mask: Image.Image, color: tuple[int, ...], fade: float) -> None:
        small = mask.resize(self.image.size, Image.Resampling.BOX)
        if fade:
            height = np.asarray(small).any(axis=1)
            rows = np.flatnonzero(height)
            if len(rows):
                ramp = np.ones(small.height)
                ramp[rows[0] : rows[-1] + 1] = np.linspace(1, 1 - fade, rows[-1] - rows[0] + 1)
                small = Image.fromarray((np.asarray(small) * ramp[:, None]).astype(np.uint8))
        paper = np.empty((self.image.height, self.image.width, 3), np.float64)
        paper[:] = color
        # A smooth change of light over the object, and a little noise.
        across, along = (np.linspace(-1, 1, n) for n in (self.image.width, self.image.height))
        slope = self.rng.normal(0, 0.12, 2)
        paper *= (1 + slope[0] * across[None, :, None] + slope[1] * along[:, None, None]).clip(0.6, 1.4)
        paper += self.rng.normal(0, self.rng.uniform(0, 5), paper.shape)
        layer = Image.fromarray(paper.clip(0, 255).astype(np.uint8))
        self.image = Image.composite(layer, self.image, small)

    def skin(self) -> tuple[int, ...]:
        """Return about the color of the cheeks."""
        middle = self.points[[50, 280, 5]].mean(axis=0).round().astype(int)
        x, y = (int(v) for v in middle)
        around = np.asarray(self.image)[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].reshape(-1, 3)
        color = around.mean(axis=0) if len(around) else np.full(3, 150.0)
        return tuple((color * self.rng.uniform(0.75, 1.15)).clip(0, 255).astype(int).tolist())


def _lens(rng: np.random.Generator, shape: str) -> Points:
    """Return the outline of a lens in units of the eye distance, around the eye's middle."""
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    wide, high = rng.uniform(0.26, 0.34), rng.uniform(0.17, 0.27)
    power = {"round": 1.0, "oval": 0.8, "square": 0.45}[shape]
    if shape == "round":
        wide = high = rng.uniform(0.21, 0.29)
    x, y = np.cos(angles), np.sin(angles)
    outline = np.stack(
        [wide * np.sign(x) * np.abs(x) ** power, high * np.sign(y) * np.abs(y) ** power + rng.uniform(0, 0.06)], axis=1
    )
    # Lower outer corners drop, as in aviator glasses.
    return np.asarray(outline + np.stack([np.zeros(32), rng.uniform(0, 0.06) * np.maximum(outline[:, 1], 0)], axis=1))


def _spectacles(
    canvas: Canvas, color: tuple[int, ...], opacity: float, frame: tuple[int, ...], width: float, fade: float = 0.0
) -> None:
    rng = canvas.rng
    lens = _lens(rng, str(rng.choice(["round", "oval", "square"])))
    inner = []
    for side, (outer, inside) in zip((-1, 1), _EYES, strict=True):
        middle = canvas.points[[outer, inside]].mean(axis=0)
        outline = canvas.place(middle, lens * [side, 1])
        if opacity > 0:
            canvas.fill(outline, color, opacity, fade=fade)
        if width > 0:
            canvas.stroke(np.concatenate([outline, outline[:2]]), frame, width)
        inner.append(canvas.place(middle, np.array([[-side * np.abs(lens[:, 0]).max(), 0.0]]))[0])
        tip = canvas.place(middle, np.array([[side * np.abs(lens[:, 0]).max(), -0.02]]))[0]
        temple = canvas.points[127 if side < 0 else 356]
        canvas.stroke(np.stack([tip, temple]), frame, max(width, 0.02))
    canvas.stroke(np.stack(inner), frame, max(width, 0.03))


def glasses(canvas: Canvas) -> None:
    """Clear or slightly tinted lenses in a frame."""
    rng = canvas.rng
    frame = tuple(int(v) for v in rng.integers(10, 130, 3)) if rng.random() < 0.4 else (int(rng.integers(10, 60)),) * 3
    tint = tuple(int(v) for v in rng.integers(120, 230, 3))
    opacity = float(rng.choice([0.0, rng.uniform(0.05, 0.2)]))
    _spectacles(canvas, tint, opacity, frame, float(rng.uniform(0.02, 0.05)))
    if rng.random() < 0.3:  # a reflection
        eye = canvas.points[list(_EYES[int(rng.integers(2))])].mean(axis=0)
        patch = canvas.place(eye, np.array([[-0.1, -0.1], [0.0, -0.12], [0.03, 0.02], [-0.08, 0.05]]))
        canvas.fill(patch, (235, 235, 240), float(rng.uniform(0.2, 0.6)))


def sunglasses(canvas: Canvas) -> None:
    """Dark lenses, colored or graduated, sometimes with a reflection."""
    rng = canvas.rng
    dark = rng.uniform(5, 70)
    color = tuple(int(v) for v in (dark + rng.uniform(-15, 25, 3)).clip(0, 110))
    fade = float(rng.uniform(0, 0.3)) if rng.random() < 0.35 else 0.0
    frame = tuple(int(v) for v in rng.integers(0, 60, 3)) if rng.random() < 0.8 else (190, 180, 150)
    _spectacles(canvas, color, float(rng.uniform(0.82, 1.0)), frame, float(rng.uniform(0.0, 0.05)), fade)
    if rng.random() < 0.4:
        for outer, inside in _EYES:
            eye = canvas.points[[outer, inside]].mean(axis=0)
            corner = rng.uniform(-0.12, 0.02, 2)
            patch = canvas.place(eye, corner + np.array([[0, 0], [0.09, -0.02], [0.11, 0.04], [0.02, 0.07]]))
            canvas.fill(patch, (220, 225, 235), float(rng.uniform(0.15, 0.6)))


def mask(canvas: Canvas) -> None:
    """A mask or scarf over nose, mouth and chin, or over mouth and chin alone."""
    rng = canvas.rng
    low = rng.random() < 0.2  # worn below the nose
    top = canvas.points[2] + 0.02 * canvas.size * canvas.down if low else _along_nose(canvas, rng.uniform(0.1, 1.0))
    lift = rng.uniform(-0.08, 0.12) * canvas.size
    outline = canvas.points[list(_CHEEKS)].copy()
    outline[0], outline[-1] = outline[0] - lift * canvas.down, outline[-1] - lift * canvas.down
    center = canvas.points[[13, 5]].mean(axis=0)
    outline = center + (outline - center) * rng.uniform(0.98, 1.15)
    if rng.random() < 0.25:  # a scarf goes on below the chin
        outline[4:13] += canvas.size * rng.uniform(0.1, 0.5) * canvas.down
    slopes = [top - (0.16 * canvas.right - 0.05 * canvas.down) * canvas.size] if not low else []
    ends = [top + (0.16 * canvas.right + 0.05 * canvas.down) * canvas.size] if not low else []
    outline = np.concatenate([outline, np.array([*ends, top, *slopes])])
    colors = ((225, 232, 238), (120, 165, 200), (25, 25, 28), (150, 200, 190), tuple(rng.integers(0, 255, 3).tolist()))
    base = np.array(colors[int(rng.integers(len(colors)))], np.float64) * np.clip(canvas.light, 0.5, 1.2)
    color = tuple(int(v) for v in base.clip(0, 255))
    canvas.fill(outline, color, 1.0)
    for _ in range(int(rng.integers(0, 4))):  # folds
        start, end = outline[int(rng.integers(0, 4))], outline[int(rng.integers(12, 17))]
        middle = (start + end) / 2 + canvas.size * rng.uniform(-0.05, 0.2) * canvas.down
        shade = tuple(int(v) for v in (base * rng.uniform(0.75, 0.92)).clip(0, 255))
        canvas.stroke(np.stack([start, middle, end]), shade, float(rng.uniform(0.01, 0.03)), 0.7)
    if rng.random() < 0.6:
        for ear, edge in ((127, outline[0]), (356, outline[16])):
            canvas.stroke(np.stack([edge, canvas.points[ear]]), color, 0.025)


def _along_nose(canvas: Canvas, share: float) -> Points:
    index = share * (len(_NOSE) - 1)
    low = min(int(index), len(_NOSE) - 2)
    first, second = canvas.points[_NOSE[low]], canvas.points[_NOSE[low + 1]]
    return np.asarray(first + (second - first) * (index - low))


def hand(canvas: Canvas) -> None:
    """Fingers over the mouth, or over an eye and a cheek."""
    rng = canvas.rng
    skin = np.array(canvas.skin(), np.float64)
    side = -1.0 if rng.random() < 0.5 else 1.0
    over_mouth = rng.random() < 0.6
    target = canvas.points[13] if over_mouth else canvas.points[[159, 145] if side < 0 else [386, 374]].mean(axis=0)
    start = target + canvas.size * (side * rng.uniform(0.4, 1.2) * canvas.right + rng.uniform(0.6, 1.3) * canvas.down)
    reach = target - canvas.size * side * rng.uniform(0.1, 0.4) * canvas.right
    direction = (reach - start) / max(float(np.hypot(*(reach - start))), 1e-9)
    normal = np.array([-direction[1], direction[0]])
    width = rng.uniform(0.15, 0.2)
    for finger in range(int(rng.integers(3, 5))):
        offset = (finger - 1.5) * width * canvas.size * normal
        length = rng.uniform(0.85, 1.1)
        color = tuple(int(v) for v in (skin * rng.uniform(0.9, 1.05)).clip(0, 255))
        path = np.stack([start + 0.6 * offset, start + offset + (reach - start) * length])
        dark = tuple(int(v * 0.6) for v in color)
        canvas.stroke(path, dark, width * 1.08)
        canvas.stroke(path, color, width * 0.98)
        _round(canvas, path[1], width / 2, color)


def _round(canvas: Canvas, middle: Points, radius: float, color: tuple[int, ...]) -> None:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    canvas.fill(canvas.place(middle, radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)), color, 1.0)


def object_before(canvas: Canvas) -> None:
    """A rectangle (a phone, a sheet of paper, a cup) over a third to a half of the face."""
    rng = canvas.rng
    if rng.random() < 0.5:  # over the mouth
        middle, wide, high = canvas.points[14], rng.uniform(0.4, 0.9), rng.uniform(0.25, 0.6)
    else:  # over one side, an eye included
        side = -1 if rng.random() < 0.5 else 1
        middle = canvas.points[2] + side * canvas.size * rng.uniform(0.3, 0.45) * canvas.right
        wide, high = rng.uniform(0.3, 0.42), rng.uniform(0.6, 1.0)
    turn = rng.normal(0, 0.3)
    corners = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]])
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    color = tuple(int(v) for v in rng.integers(0, 255, 3)) if rng.random() < 0.6 else (int(rng.integers(10, 60)),) * 3
    canvas.fill(canvas.place(middle, corners), color, 1.0)


def fringe(canvas: Canvas) -> None:
    """Hair, a cap or a shadow above the brows: nothing that hides the face."""
    rng = canvas.rng
    lower = canvas.points[list(_BROWS)] - canvas.size * rng.uniform(0.02, 0.18) * canvas.down
    upper = canvas.points[list(_FOREHEAD)] - canvas.size * rng.uniform(0.0, 0.3) * canvas.down
    color = tuple(int(v) for v in rng.integers(10, 120, 3)) if rng.random() < 0.5 else (int(rng.integers(10, 90)),) * 3
    canvas.fill(np.concatenate([upper, lower]), color, float(rng.uniform(0.5, 1.0)))


def bare(canvas: Canvas) -> None:
    """Change nothing but the sharpness."""
    if canvas.rng.random() < 0.3:
        canvas.image = canvas.image.filter(ImageFilter.GaussianBlur(float(canvas.rng.uniform(0.3, 1.2))))


PAINTERS: dict[str, Callable[[Canvas], None]] = {
    "bare": bare,
    "glasses": glasses,
    "fringe": fringe,
    "sunglasses": sunglasses,
    "mask": mask,
    "hand": hand,
    "object": object_before,
}
COVERED = ("sunglasses", "mask", "hand", "object")
"""Kinds in which the face is partly covered."""


def paint(pixels: Pixels, points: Points, kind: str, rng: np.random.Generator) -> Pixels:
    """Return a copy of a photo with the face of the mesh ``points`` (468, 2 or 3) painted over."""
    canvas = Canvas(pixels, points, rng)
    PAINTERS[kind](canvas)
    return np.asarray(canvas.image)


def is_mouth_painted(before: Pixels, after: Pixels, points: Points) -> bool:
    """Return True if at least two of five points of the lips have another color."""
    changed = 0
    for x, y in points[[13, 14, 61, 291, 17], :2].round().astype(int).tolist():
        if 0 <= y < before.shape[0] and 0 <= x < before.shape[1]:
            changed += int(np.abs(before[y, x].astype(int) - after[y, x]).sum() > 30)
    return changed >= 2
