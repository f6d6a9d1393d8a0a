"""``catalog analyze``: what each face of a photo shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from catalog.app.private_files import refuse_photo, write_privately
from catalog.cli.crop_files import picture_path
from catalog.cli.formatting import path_text
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.domain.faces import BooleanAttribute, BoundingBox, Face
from catalog.endpoint.response_builder import Body, face_detail

Photos = Annotated[list[Path], typer.Argument(metavar="PHOTO", help="Photos to look at; nothing is kept.")]
Annotate = Annotated[
    Path | None,
    typer.Option("--annotate", metavar="OUT", help="Draw boxes and labels on a copy: a JPEG; of several, a folder."),
]


def analyze(
    photos: Photos,
    engine: EngineName = None,
    annotate: Annotate = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Show each face's box, age, gender, smile, emotions, pose and quality; nothing is kept."""
    with open_catalog(config, database, verbose, {"engine.name": engine}, create=True) as catalog:
        pictures = [picture_path(annotate, path, several=len(photos) > 1) for path in photos] if annotate else []
        for picture in pictures:
            refuse_photo(picture)  # before a paid call
        analyses = [(path, catalog.analyze(path)) for path in photos]
        for picture, (path, analysis) in zip(pictures, analyses, strict=False):  # none without --annotate
            write_privately(picture, catalog.draw_analysis(path, analysis))
    if as_json:
        answers: list[Body] = [
            {"FaceDetails": [face_detail(face) for face in analysis.faces]} for _, analysis in analyses
        ]
        if len(photos) > 1:
            answers = [{"Photo": str(path), **answer} for (path, _), answer in zip(analyses, answers, strict=True)]
        typer.echo(json.dumps(answers if len(photos) > 1 else answers[0], indent=2))
        return
    for path, analysis in analyses:
        count = len(analysis.faces)
        typer.echo(f"{path_text(path)}: {count or 'no'} face{'' if count == 1 else 's'}")
        for number, face in enumerate(analysis.faces, start=1):
            for line in describe(number, face):
                typer.echo(f"  {line}")


def describe(number: int, face: Face) -> list[str]:
    """Describe one face in one to three lines. Attributes that the engine did not measure are left out."""
    attributes = face.attributes
    first = [f"face {number}", f"confidence {face.confidence:.1f}", f"box {box_text(face.box)}"]
    traits = []
    if attributes.gender is not None:
        traits.append(f"{attributes.gender.value.value} {attributes.gender.confidence:.0f}%")
    if attributes.age_range is not None:
        traits.append(f"age {attributes.age_range.low}-{attributes.age_range.high}")
    for name, judgement in (
        ("smile", attributes.smile),
        ("eyeglasses", attributes.eyeglasses),
        ("sunglasses", attributes.sunglasses),
        ("beard", attributes.beard),
        ("mustache", attributes.mustache),
        ("eyes open", attributes.eyes_open),
        ("mouth open", attributes.mouth_open),
        ("occluded", attributes.face_occluded),
    ):
        if judgement is not None:
            traits.append(_judged(name, judgement))
    if attributes.eye_direction is not None:
        eyes = attributes.eye_direction
        traits.append(f"eyes yaw {eyes.yaw:.0f} pitch {eyes.pitch:.0f} {eyes.confidence:.0f}%")
    shown = []
    if attributes.emotions:
        shown.append("emotions " + ", ".join(f"{e.type.value} {e.confidence:.1f}" for e in attributes.emotions[:3]))
    if face.pose is not None:
        shown.append(f"roll {face.pose.roll:.0f} yaw {face.pose.yaw:.0f} pitch {face.pose.pitch:.0f}")
    if face.quality is not None:
        shown.append(f"brightness {face.quality.brightness:.0f} sharpness {face.quality.sharpness:.0f}")
    return ["  ".join(first), *(f"       {'  '.join(parts)}" for parts in (traits, shown) if parts)]


def _judged(name: str, judgement: BooleanAttribute) -> str:
    return f"{name}{'' if judgement.value else ' no'} {judgement.confidence:.0f}%"


def box_text(box: BoundingBox) -> str:
    """Left, top, width and height in hundredths of the image: ``61,11 8x17%``."""
    return f"{box.left * 100:.0f},{box.top * 100:.0f} {box.width * 100:.0f}x{box.height * 100:.0f}%"
