"""Flaws of a photo: reasons why a face on it cannot be a reference, or cannot be verified.

The rules follow Amazon's advice for input images.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from catalog.domain.faces import BooleanAttribute, Face
from catalog.domain.opened_photo import OpenedPhoto
from catalog.store.person_summaries import CLEAR_SHARPNESS, CLEAR_WIDTH

_MAX_YAW = 45
"""Degrees."""
_ATTRIBUTE_CONFIDENCE = 80.0
"""Lowest confidence at which an attribute such as "wears sunglasses" refuses a photo. Not measured."""


def find_flaws(photo: OpenedPhoto, faces: Sequence[Face]) -> list[str]:
    """Reasons why a photo cannot be judged, as sentences.

    A photo must show one face, at least 50 pixels wide and high, whole, uncovered, with open eyes, without sunglasses,
    not dark, overexposed or blurred. It is turned by less than 45 degrees, and tilted by more than -30 and less than
    45. An attribute that the engine does not measure is no flaw.
    """
    if len(faces) != 1:
        return [f"It shows {len(faces) or 'no'} face{'' if len(faces) == 1 else 's'} instead of one."]
    return [*_geometry(photo, faces[0]), *_appearance(faces[0])]


def find_reference_flaws(photo: OpenedPhoto, faces: Sequence[Face], *, allow_open_mouth: bool = False) -> list[str]:
    """Reasons why a photo cannot be a reference: those of :func:`find_flaws`, and an open mouth.

    An open mouth changes the lower half of the face, as does a smile that shows teeth. A photo that is verified may
    show a person who is speaking.
    """
    flaws = find_flaws(photo, faces)
    if len(faces) == 1 and not allow_open_mouth and _is_certain(faces[0].attributes.mouth_open, True):
        flaws.append("The mouth is open.")
    return flaws


def warn_of_unclear_face(log: logging.Logger, subject: str, photo: OpenedPhoto, face: Face) -> None:
    """Log a warning for a face that a search confuses with others: small, blurred, or turned to the side.

    ``subject`` names the photo, for example its path in quotes. A blurred photo of one man matched another man at 97.8.
    """
    width = min(face.box.width * photo.width, face.box.height * photo.height)
    flaws = [
        text
        for text, is_true in (
            (f"smaller than {CLEAR_WIDTH} pixels", width < CLEAR_WIDTH),
            ("blurred", face.quality is not None and face.quality.sharpness < CLEAR_SHARPNESS),
            ("turned to the side", face.pose is not None and abs(face.pose.yaw) >= _MAX_YAW),
        )
        if is_true
    ]
    if flaws:
        log.warning("%s: the face is %s. Matches may show other people.", subject, " and ".join(flaws))


def _geometry(photo: OpenedPhoto, face: Face) -> list[str]:
    flaws = []
    box, pose = face.box, face.pose
    if min(box.width * photo.width, box.height * photo.height) < 50:
        flaws.append("The face is smaller than 50 pixels.")
    if box.left < 0 or box.top < 0 or box.right > 1 or box.bottom > 1:
        flaws.append("The face is cut by the border of the photo.")
    if pose is not None:
        if abs(pose.yaw) >= _MAX_YAW:
            flaws.append(
                f"The face is turned to the side by {abs(pose.yaw):.0f} degrees; less than {_MAX_YAW} is needed."
            )
        if pose.pitch <= -30 or pose.pitch >= 45:
            flaws.append(f"The face is tilted by {pose.pitch:.0f} degrees; between -30 and 45 is needed.")
    return flaws


def _appearance(face: Face) -> list[str]:
    flaws = []
    quality, attributes = face.quality, face.attributes
    if quality is not None:
        if quality.brightness < 20:
            flaws.append("The face is too dark.")
        if quality.brightness > 95:
            flaws.append("The face is washed out.")
        if quality.sharpness < 8:
            flaws.append("The face is blurred.")
    if _is_certain(attributes.eyes_open, False):
        flaws.append("The eyes are closed.")
    if _is_certain(attributes.sunglasses, True):
        flaws.append("Sunglasses cover the eyes.")
    if _is_certain(attributes.face_occluded, True):
        flaws.append("Part of the face is covered.")
    return flaws


def _is_certain(attribute: BooleanAttribute | None, value: bool) -> bool:
    return attribute is not None and attribute.value is value and attribute.confidence >= _ATTRIBUTE_CONFIDENCE
