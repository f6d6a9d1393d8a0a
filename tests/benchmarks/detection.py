"""Recall of detection by kind of photo, and false faces on images without a person.

    python -m tests.benchmarks.detection [--people 50] [--half odd] [--only kinds,negatives]

Kinds are LFW's photos (../shared/data) changed in one way each: tilted, masked, cropped, tiny, blurred, dark, beside a
turned photo, in a panorama. A face counts as found if a box lies within half of its size from its center and has half
to twice its size; its direction is right if the landmarks give its tilt within 35 degrees. Images without a person come
from wheels of PyPI. Thresholds of detection were chosen on the even people and the even images; the odd half is the
measurement.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import starmap
from pathlib import Path

import numpy as np

from catalog.engines.local.detect import DetectedFace, detect_faces
from catalog.engines.local.landmark_refinement import refine_landmarks
from tests.benchmarks import detection_images as images
from tests.benchmarks.detection_images import Expected, Portrait, Sample

DATA = Path(__file__).parents[3] / "shared" / "data"
MASKS = {"blue": (60, 90, 170), "black": (25, 25, 25), "white": (235, 235, 235)}


def kinds(portraits: list[Portrait]) -> dict[str, Iterator[Sample]]:
    changes: dict[str, Callable[[Portrait], Sample]] = {
        f"tilted by {degrees} degrees": partial(images.tilted, degrees=degrees)
        for degrees in sorted({*range(0, 181, 15), 40, 50})
    }
    for name, color in MASKS.items():
        changes[f"{name} mask"] = partial(_masked, color=color, degrees=0)
    changes["white mask, tilted by 25"] = partial(_masked, color=MASKS["white"], degrees=25)
    changes["sunglasses"] = lambda portrait: images.plain(images.with_sunglasses(portrait))
    changes["cut at the box, enlarged 6 times"] = partial(images.cropped, share=1.0, enlargement=6)
    changes["cut at 0.85 of the box, enlarged 6"] = partial(images.cropped, share=0.85, enlargement=6)
    changes["cut at 1.25 of the box"] = partial(images.cropped, share=1.25, enlargement=1)
    changes["face of 16 pixels"] = partial(images.shrunk, size=16)
    changes["face of 24 pixels"] = partial(images.shrunk, size=24)
    changes["blurred"] = partial(images.filtered, change=images.blurred)
    changes["dark"] = partial(images.filtered, change=images.darkened)
    table = {kind: map(change, portraits) for kind, change in changes.items()}
    pairs = list(zip(portraits, [*portraits[1:], portraits[0]], strict=True))
    for degrees in (90, 180, 270):
        small = partial(images.beside, degrees=degrees, size=(500, 250), enlargement=1.0)
        large = partial(images.beside, degrees=degrees, size=(3000, 2000), enlargement=2.4)
        table[f"beside one turned by {degrees}"] = starmap(small, pairs)
        table[f"the same in 3,000 x 2,000, {degrees}"] = starmap(large, pairs[::4])
    table["panorama, as opened"] = iter([_reduced_panorama(portraits)])
    return table


def _masked(portrait: Portrait, *, color: tuple[int, int, int], degrees: float) -> Sample:
    return images.tilted(images.masked(portrait, color), degrees)


def _reduced_panorama(portraits: list[Portrait]) -> Sample:
    """Faces of 160 pixels in 30,000 x 2,000 pixels, reduced as :func:`catalog.images.decode.open_image` reduces."""
    return images.panorama(portraits[:12], (10_240, 683), 160 * 683 / 2000)


def is_found(expected: Expected, face: DetectedFace) -> bool:
    left, top, width, height = face.box
    distance = np.abs(np.array([left + width / 2, top + height / 2]) - expected.center).max()
    return bool(distance <= expected.size / 2 and 0.5 <= face.size / expected.size <= 2)


def is_direction_right(expected: Expected, face: DetectedFace) -> bool:
    up = face.landmarks[:2].mean(axis=0) - face.landmarks[3:].mean(axis=0)
    cosine = float(up @ expected.up) / max(float(np.hypot(*up)), 1e-9)
    return cosine >= np.cos(np.radians(35))


def report_kinds(portraits: list[Portrait]) -> None:
    for kind, samples in kinds(portraits).items():
        count = found_count = right = extra_faces = 0
        started = time.process_time()
        for sample in samples:
            pixels = np.asarray(sample.image)
            faces, _ = refine_landmarks(pixels, detect_faces(pixels))
            matched = set()
            for expected in sample.faces:
                match = next((index for index, face in enumerate(faces) if is_found(expected, face)), None)
                count += 1
                if match is not None:
                    matched.add(match)
                    found_count += 1
                    right += is_direction_right(expected, faces[match])
            extra_faces += len(faces) - len(matched)
        seconds = time.process_time() - started
        print(
            f"  {kind:<36} {count:>4} faces, found {100 * found_count / count:5.1f} %, direction right "
            f"{100 * right / count:5.1f} %, other faces {extra_faces:>3}, {1000 * seconds / count:5.0f} ms",
            flush=True,
        )


def is_even_image(name: str) -> bool:
    return hashlib.sha256(Path(name).stem.encode()).digest()[0] % 2 == 0


def report_negatives(half: str) -> None:
    counts: dict[str, list[int]] = {}
    names: list[str] = []
    for index, (name, image) in enumerate(images.read_negatives().items()):
        if half != "all" and is_even_image(name) != (half == "even"):
            continue
        totals = counts.setdefault(images.negative_kind(name), [0, 0, 0])
        totals[0] += 1
        for variant, changed in enumerate(images.changed_negatives(image, index)):
            faces = detect_faces(np.asarray(changed))
            totals[1] += 1
            totals[2] += len(faces)
            names += [f"{Path(name).name}#{variant} {face.confidence:.0f}" for face in faces]
    for kind, (originals, variants, faces) in sorted(counts.items()):
        print(f"  {kind:<10} {originals:>3} images in {variants} variants: {faces} false faces")
    print(f"  in all {sum(c[1] for c in counts.values())} variants: {sum(c[2] for c in counts.values())} false faces")
    print(f"  {', '.join(names)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--half", choices=("even", "odd", "all"), default="odd")
    parser.add_argument("--only", default="kinds,negatives")
    arguments = parser.parse_args()
    if not (DATA / "lfw").is_dir():
        sys.exit(print("../shared/data/lfw does not exist: nothing was measured"))
    if "kinds" in arguments.only:
        portraits = images.read_portraits(DATA, arguments.people, half=arguments.half)
        print(f"{len(portraits)} people of LFW, {arguments.half} half")
        report_kinds(portraits)
    if "negatives" in arguments.only:
        print(f"images without a person, {arguments.half} half")
        report_negatives(arguments.half)


if __name__ == "__main__":
    main()
