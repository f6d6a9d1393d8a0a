"""File names of one exposure: ``IMG_1.HEIC``, ``IMG_1.JPG``, ``IMG_E1.JPG``, ``IMG_1-edited.jpg``.

A name proposes only. ``IMG_1(1).jpg`` is a copy of ``IMG_1.jpg`` in one folder and another photo in the next one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_EDITED_TAIL = re.compile(
    "[-_](?:"
    # Google Takeout, by the language of the account
    "edited|bearbeitet|modifié|modificato|(?:ha[ -])?editado|editat|bewerkt|edytowane|編集済み|编辑"
    "|отредактировано|편집됨|muokattu|redigeret|upravené|відредаговано"
    # effects of Google Photos, always English
    "|effects|smile|mix|collage|animation|motion"
    # Lightroom, Photoshop
    "|edit|enhanced(?:-nr|-sr)?"
    ")$"
)
_COPY_TAIL = re.compile(
    r"(?: ?\(\d{1,3}\)|[ _-]+(?:copy|kopie|copie|copia|копия)(?: \d{1,3})?|~\d{1,2}|-\d"
    r"|[-_](?:thumb|small|preview|\d{2,4}x\d{2,4}))$"
)
_TAIL_MARKS = frozenset("-~ x")
_APPLE_EDIT = re.compile(r"^img_e(\d{4})$")


@dataclass(frozen=True, slots=True)
class StackName:
    """The parts of a file's name, without case. ``copy`` and ``is_edited`` come from the tail of the stem.

    ``root`` is the stem without tails, ``copy`` a tail such as ``(1)`` or ``-2``, which often means another photo.
    ``ending`` is the ending without the dot.
    """

    root: str
    copy: str
    is_edited: bool
    ending: str


def stack_name(name: str) -> StackName:
    """Take a file's name, without folders, apart."""
    text = name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()
    stem, dot, ending = text.rpartition(".")
    if not (stem and dot):
        stem, ending = text, ""
    copy, is_edited = "", False
    # No tail ends in a digit without one of these characters. Most names of cameras end here.
    while not (stem[-1:].isdigit() and _TAIL_MARKS.isdisjoint(stem)):
        if match := _EDITED_TAIL.search(stem):
            is_edited = True
        elif match := _COPY_TAIL.search(stem):
            copy = match.group().strip(" -_") + copy
        if match is None or match.start() == 0:
            break
        stem = stem[: match.start()]
    if match := _APPLE_EDIT.match(stem):
        stem, is_edited = f"img_{match[1]}", True
    return StackName(stem, copy, is_edited, "jpg" if ending == "jpeg" else ending)


def are_one_by_name(one: StackName, other: StackName) -> bool:
    """Return whether two names in one folder say that the files show one exposure: another format, or an edit.

    Names that differ in ``copy`` say nothing.
    """
    if (one.root, one.copy) != (other.root, other.copy):
        return False
    return one.is_edited or other.is_edited or one.ending != other.ending
