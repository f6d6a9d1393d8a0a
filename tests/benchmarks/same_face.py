"""Overlap of boxes of one face, and of two faces: the measurements behind the same-face rules.

Run by hand: python -m tests.benchmarks.same_face (needs ../shared/data/lfw and ../shared/data/seed). Detects the faces
of some hundred LFW photos, detects them again after each change that a rule must survive, and prints the share of faces
whose two boxes a threshold refuses. Each photo also stands in a row beside three others, as in a group photo, so that
boxes of different faces are near one another: the second column counts pairs of different faces that a threshold
accepts.
"""

from __future__ import annotations

import io
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.same_face import DRAWN_REGION, EDITED_PHOTO, SAME_PHOTO
from catalog.engines.local.face_pipeline import FacePipeline
from catalog.engines.local.yunet import run_yunet

DATA = Path(__file__).parents[3] / "shared" / "data"
PHOTOS = 200
ROW = 4
"""Photos beside one another in a row; LFW's photos show a head and shoulders, so the heads nearly touch."""
THRESHOLDS = (0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)
Pixels = NDArray[np.uint8]
Change = Callable[[Image.Image], tuple[Image.Image, Callable[[BoundingBox], BoundingBox]]]
"""Returns the changed photo, and a function that maps its boxes back to the original."""


def faces_of(pipeline: FacePipeline, image: Image.Image) -> list[BoundingBox]:
    pixels = np.asarray(image.convert("RGB"))
    photo = OpenedPhoto(pixels, pixels.shape[1], pixels.shape[0], "PNG")
    return [face.face.box for face in pipeline.find_faces(photo)]


def unmoved(box: BoundingBox) -> BoundingBox:
    return box


def resized(factor: float) -> Change:
    return lambda image: (
        image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS),
        unmoved,
    )


def saved_as_jpeg(quality: int) -> Change:
    def change(image: Image.Image) -> tuple[Image.Image, Callable[[BoundingBox], BoundingBox]]:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file), unmoved

    return change


def brighter(image: Image.Image) -> tuple[Image.Image, Callable[[BoundingBox], BoundingBox]]:
    return ImageEnhance.Brightness(image).enhance(1.4), unmoved


def gray(image: Image.Image) -> tuple[Image.Image, Callable[[BoundingBox], BoundingBox]]:
    return ImageOps.grayscale(image).convert("RGB"), unmoved


def cropped(left: float, top: float, right: float, bottom: float) -> Change:
    """Cut these shares off the sides. A program that compares the two photos does not know of the crop."""

    def change(image: Image.Image) -> tuple[Image.Image, Callable[[BoundingBox], BoundingBox]]:
        edges = (
            round(image.width * left),
            round(image.height * top),
            round(image.width * (1 - right)),
            round(image.height * (1 - bottom)),
        )
        across, down = (edges[2] - edges[0]) / image.width, (edges[3] - edges[1]) / image.height

        def back(box: BoundingBox) -> BoundingBox:
            return BoundingBox(
                edges[0] / image.width + box.left * across,
                edges[1] / image.height + box.top * down,
                box.width * across,
                box.height * down,
            )

        return image.crop(edges), back

    return change


def straightened(degrees: float) -> Change:
    return lambda image: (image.rotate(degrees, Image.Resampling.BICUBIC), unmoved)


STYLES: dict[str, tuple[float, float, float]] = {
    "half the area": (0.71, 0.71, 0.0),
    "double the area": (1.41, 1.41, 0.0),
    "whole head": (1.3, 1.5, -0.1),
    "square, forehead to chin": (1.2, 1.0, 0.0),
    "eyes to mouth": (0.8, 0.6, 0.05),
    "Amazon's (data/seed: 0.97 to 1.1 in size)": (1.1, 1.1, 0.02),
}
"""Ways to draw a box: width and height as multiples of the local engine's, and a shift of the center in heights."""


def styled(box: BoundingBox, style: tuple[float, float, float]) -> BoundingBox:
    across, down, shift = style
    width, height = box.width * across, box.height * down
    x, y = box.center
    return BoundingBox(x - width / 2, y + shift * box.height - height / 2, width, height)


def cut_out(image: Image.Image, box: BoundingBox, padding: float) -> tuple[Image.Image, BoundingBox]:
    """The part around a box, and its place in fractions of the image."""
    edges = (
        max(0, round((box.left - padding * box.width) * image.width)),
        max(0, round((box.top - padding * box.height) * image.height)),
        min(image.width, round((box.right + padding * box.width) * image.width)),
        min(image.height, round((box.bottom + padding * box.height) * image.height)),
    )
    place = BoundingBox(
        edges[0] / image.width,
        edges[1] / image.height,
        (edges[2] - edges[0]) / image.width,
        (edges[3] - edges[1]) / image.height,
    )
    return image.crop(edges), place


def best_overlap(box: BoundingBox, boxes: list[BoundingBox]) -> float:
    return max((box.iou(candidate) for candidate in boxes), default=0.0)


def compare(
    originals: list[BoundingBox],
    changed: list[BoundingBox],
    back: Callable[[BoundingBox], BoundingBox],
    same_overlaps: list[float],
    other_overlaps: list[float],
) -> None:
    """Add the highest overlap of each original box with a changed box, to the list that is true.

    The face of a changed box is the original that it covers best once it is mapped back.
    """
    face = [
        max(range(len(originals)), key=lambda index: originals[index].iou(back(box)), default=None) for box in changed
    ]
    for index, box in enumerate(originals):
        overlaps = [box.iou(candidate) for candidate in changed]
        if index in face:
            same_overlaps.append(overlaps[face.index(index)])
        best = max(range(len(changed)), key=overlaps.__getitem__, default=None)
        if best is not None and face[best] != index:
            other_overlaps.append(overlaps[best])


def rows(photos: list[Path]) -> Iterator[Image.Image]:
    """Four LFW photos beside one another, cut so that the heads nearly touch."""
    for start in range(0, len(photos) - ROW + 1, ROW):
        parts = [Image.open(path).convert("RGB").crop((60, 40, 190, 220)) for path in photos[start : start + ROW]]
        row = Image.new("RGB", (sum(part.width for part in parts), parts[0].height))
        left = 0
        for part in parts:
            row.paste(part, (left, 0))
            left += part.width
        yield row


CHANGES: dict[str, list[tuple[str, Change]]] = {
    "SAME_PHOTO": [
        ("decoded at half the size", resized(0.5)),
        ("decoded at double the size", resized(2.0)),
        ("another JPEG decoder (quality 95)", saved_as_jpeg(95)),
    ],
    "EDITED_PHOTO": [
        ("saved at quality 50", saved_as_jpeg(50)),
        ("brighter", brighter),
        ("black and white", gray),
        ("resized to 0.4", resized(0.4)),
        ("straightened by 3 degrees", straightened(3)),
        ("cut by 3 % a side", cropped(0.03, 0.03, 0.03, 0.03)),
        ("cut by 6 % a side", cropped(0.06, 0.06, 0.06, 0.06)),
        ("cut by 10 % a side", cropped(0.1, 0.1, 0.1, 0.1)),
        ("cut by 10 % at the left", cropped(0.1, 0.0, 0.0, 0.0)),
        ("cut by 20 % at the left", cropped(0.2, 0.0, 0.0, 0.0)),
        ("cut by 35 % at the left", cropped(0.35, 0.0, 0.0, 0.0)),
        ("cut to the middle 60 % of the width", cropped(0.2, 0.0, 0.2, 0.0)),
    ],
}


def report(
    rule: str, threshold: float, same_overlaps: dict[str, list[float]], other_overlaps: dict[str, list[float]]
) -> None:
    print(f"\n{rule} (now {threshold:g}): share of faces refused, and pairs of two faces accepted, at each threshold")
    print(f"{'':42}{'faces':>7}" + "".join(f"{value:>14g}" for value in THRESHOLDS))
    for name, overlaps in same_overlaps.items():
        values, wrong = np.array(overlaps), np.array(other_overlaps.get(name, []))
        cells = [f"{100 * (values < value).mean():7.1f}%{(wrong >= value).sum():>6}" for value in THRESHOLDS]
        print(f"{name:42}{len(values):>7}" + "".join(cells))


def measure(pipeline: FacePipeline, images: list[Image.Image]) -> None:
    originals = [faces_of(pipeline, image) for image in images]
    print(f"{len(images)} photos, {sum(map(len, originals))} faces")
    for rule, changes in CHANGES.items():
        same_overlaps: dict[str, list[float]] = defaultdict(list)
        other_overlaps: dict[str, list[float]] = defaultdict(list)
        for name, change in changes:
            for image, boxes in zip(images, originals, strict=True):
                changed, back = change(image)
                compare(boxes, faces_of(pipeline, changed), back, same_overlaps[name], other_overlaps[name])
        report(
            rule,
            {"SAME_PHOTO": SAME_PHOTO, "EDITED_PHOTO": EDITED_PHOTO}[rule].min_overlap,
            same_overlaps,
            other_overlaps,
        )
    styles(images, originals)
    requested(pipeline, images, originals)


def styles(images: list[Image.Image], originals: list[list[BoundingBox]]) -> None:
    same_overlaps: dict[str, list[float]] = defaultdict(list)
    other_overlaps: dict[str, list[float]] = defaultdict(list)
    for boxes in originals:
        for name, style in STYLES.items():
            drawn = [styled(box, style) for box in boxes]
            same_overlaps[name] += [box.iou(changed) for box, changed in zip(boxes, drawn, strict=True)]
            for index, box in enumerate(boxes):
                other_overlaps[name] += [box.iou(changed) for place, changed in enumerate(drawn) if place != index]
    for image, boxes in zip(images, originals, strict=True):
        pixels = np.asarray(image)
        raw = [
            BoundingBox(row[0] / image.width, row[1] / image.height, row[2] / image.width, row[3] / image.height)
            for row in run_yunet(pixels, 0.6).tolist()
            if row[2] > 0 and row[3] > 0
        ]
        same_overlaps["YuNet's own boxes"] += [overlap for box in boxes if (overlap := best_overlap(box, raw)) > 0]
    report("SAME_PHOTO", SAME_PHOTO.min_overlap, same_overlaps, other_overlaps)
    print(f"DRAWN_REGION (now {DRAWN_REGION.min_overlap:g}, or each box holds the other's center): the same table")


def requested(pipeline: FacePipeline, images: list[Image.Image], originals: list[list[BoundingBox]]) -> None:
    same_overlaps: dict[str, list[float]] = defaultdict(list)
    other_overlaps: dict[str, list[float]] = defaultdict(list)
    for image, boxes in zip(images, originals, strict=True):
        for index, box in enumerate(boxes):
            for padding in (0.6, 0.25, 0.05):
                part, place = cut_out(image, box, padding)
                inner = faces_of(pipeline, part)
                if not inner:
                    continue
                largest = max(inner, key=lambda face: face.area)
                guess = BoundingBox(
                    place.left + largest.left * place.width,
                    place.top + largest.top * place.height,
                    largest.width * place.width,
                    largest.height * place.height,
                )
                overlaps = [guess.iou(face_box) for face_box in boxes]
                name = f"cut out with {padding:g} of its size around"
                if max(range(len(boxes)), key=overlaps.__getitem__) == index:
                    same_overlaps[name].append(overlaps[index])
                else:
                    other_overlaps[name].append(overlaps[index])
    report("SAME_PHOTO", SAME_PHOTO.min_overlap, same_overlaps, other_overlaps)


def amazon(pipeline: FacePipeline) -> None:
    """Amazon's own boxes of data/seed beside the local engine's."""
    answers = json.loads((DATA / "seed" / "rekognition_answers.json").read_text())
    overlaps = []
    for answer in answers["compare"]:
        for photo, key in ((answer["source"], "source_face"), (answer["target"], "highest_similarity_box")):
            if key in answer:
                box = answer[key]
                wanted = BoundingBox(box["Left"], box["Top"], box["Width"], box["Height"])
                boxes = faces_of(pipeline, ImageOps.exif_transpose(Image.open(DATA / "seed" / photo)))
                overlaps.append(best_overlap(wanted, boxes))
    print("\noverlap of Amazon's boxes of data/seed with the local engine's:", [round(value, 2) for value in overlaps])


def main() -> None:
    folder = DATA / "lfw" / "photos"
    if not folder.is_dir():
        sys.exit(print("../shared/data/lfw is not here: nothing was measured"))
    pipeline = FacePipeline(attributes="none")
    photos = sorted(folder.glob("*/*"))
    photos = photos[:: max(1, len(photos) // PHOTOS)][:PHOTOS]
    images = [Image.open(path).convert("RGB") for path in photos[: PHOTOS // 2]] + list(rows(photos))
    measure(pipeline, images)
    amazon(pipeline)


if __name__ == "__main__":
    main()
