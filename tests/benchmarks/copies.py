"""Similarity of two prints of one portrait beside that of two photos of one person: the numbers behind copies.

Run by hand: python -m tests.benchmarks.copies (needs ../shared/data/lfw and ../shared/data/synthetic_people). Changes
each portrait as contact sheets, mirrors and identity cards do, and prints percentiles of the cosine between its face
and the changed one, length 1 each. Beside it stand different photos of one person, which limit how similar identical
twins can be on one photo, and photos of different people.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local.face_pipeline import FacePipeline

DATA = Path(__file__).parents[3] / "shared" / "data"
PEOPLE = 130
PHOTOS_OF_EACH = 3
PORTRAITS = 90
"""Photos of which copies are made."""
Change = Callable[[Image.Image], Image.Image]


def scaled(factor: float) -> Change:
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)))


def jpeg(quality: int) -> Change:
    def change(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file).convert("RGB")

    return change


def print_of(image: Image.Image) -> Image.Image:
    """A small print: half the size, soft, with a color cast, saved twice."""
    small = ImageEnhance.Color(scaled(0.5)(image)).enhance(0.6).filter(ImageFilter.GaussianBlur(0.6))
    return jpeg(70)(jpeg(60)(small))


CHANGES: dict[str, Change] = {
    "mirrored": ImageOps.mirror,
    "half the size": scaled(0.5),
    "a third of the size": scaled(0.33),
    "twice the size": scaled(2.0),
    "saved at quality 40": jpeg(40),
    "black and white": lambda image: ImageOps.grayscale(image).convert("RGB"),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1.5)),
    "turned by 4 degrees": lambda image: image.rotate(4, Image.Resampling.BICUBIC),
    "a small print": print_of,
    "a small print, mirrored": lambda image: ImageOps.mirror(print_of(image)),
}
PERCENTILES = (0, 0.1, 1, 5, 50, 95, 99, 99.9, 100)


def vector_of(pipeline: FacePipeline, image: Image.Image) -> NDArray[np.float32] | None:
    """The vector, of length 1, of the face nearest to the middle."""
    pixels = np.ascontiguousarray(np.asarray(image))
    faces = pipeline.find_faces(OpenedPhoto(pixels, pixels.shape[1], pixels.shape[0], "PNG"))
    if not faces:
        return None
    middle = min(faces, key=lambda face: np.hypot(face.face.box.center[0] - 0.5, face.face.box.center[1] - 0.5))
    (vector,) = pipeline.probes([middle])
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def line(name: str, values: list[float]) -> None:
    print(f"{name:32}{len(values):>8}" + "".join(f"{value:8.3f}" for value in np.percentile(values, PERCENTILES)))


def photos_by_person() -> dict[str, list[Path]]:
    people = {folder.name: sorted(folder.iterdir())[:PHOTOS_OF_EACH] for folder in (DATA / "lfw" / "photos").iterdir()}
    several = {name: photos for name, photos in sorted(people.items()) if len(photos) >= 2}
    return dict(list(several.items())[:PEOPLE])


def main() -> None:
    if not (DATA / "lfw").is_dir():
        sys.exit(print("../shared/data/lfw is not here: nothing was measured"))
    pipeline = FacePipeline(attributes="none")
    images = {name: [Image.open(path).convert("RGB") for path in photos] for name, photos in photos_by_person().items()}
    vectors = {
        name: [vector for image in photos if (vector := vector_of(pipeline, image)) is not None]
        for name, photos in images.items()
    }
    print(f"{'cosine, percentiles':32}{'pairs':>8}" + "".join(f"{value:>8g}" for value in PERCENTILES))
    first = [photos[0] for photos in vectors.values() if photos]
    matrix = np.stack(first)
    different = (matrix @ matrix.T)[np.triu_indices(len(matrix), 1)]
    line("different people", different.tolist())
    genuine = [float(left @ right) for photos in vectors.values() for left, right in combinations(photos, 2)]
    line("photos of one person", genuine)
    portraits = [photos[0] for photos in images.values()][:PORTRAITS]
    originals = [vector_of(pipeline, image) for image in portraits]
    copies: list[float] = []
    for name, change in CHANGES.items():
        changed = [vector_of(pipeline, change(image)) for image in portraits]
        values = [
            float(left @ right)
            for left, right in zip(originals, changed, strict=True)
            if left is not None and right is not None
        ]
        copies += values
        line(name, values)
    line("all copies", copies)
    print("\nthreshold   copies missed   photos of one person accepted   different people accepted")
    for threshold in (0.7, 0.75, 0.8, 0.85, 0.9, 0.95):
        shares = [np.mean(np.array(values) >= threshold) for values in (copies, genuine, different)]
        print(f"{threshold:9g}{1 - shares[0]:14.2%}{shares[1]:25.2%}{shares[2]:27.3%}")


if __name__ == "__main__":
    main()
