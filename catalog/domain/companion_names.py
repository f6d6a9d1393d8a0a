"""Names of the files beside a photo that hold its metadata: sidecars, Google Takeout's JSON, videos of Live Photos.

Names are compared without case, because Windows and cameras write ``IMG_1.XMP``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_STEM_LENGTH = 46
"""Google cuts the name of a JSON file to 46 characters before ".json"."""
_NUMBER = re.compile(r"\(\d+\)$")
_EDITED = re.compile(
    r"-(edited|bearbeitet|modifié|modificato|editado|ha editado|editat|bewerkt|edytowane|編集済み|编辑"
    r"|отредактировано|편집됨|muokattu|redigeret|upravené|відредаговано"
    r"|effects|smile|mix|collage|animation|motion)$",
    re.IGNORECASE,
)


def name_key(name: str) -> str:
    """The form in which names are compared: without case, with composed accents."""
    return unicodedata.normalize("NFC", name).casefold()


def sidecar_names(name: str) -> tuple[str, str]:
    """``photo.jpg.xmp`` (digiKam, darktable), then ``photo.xmp`` (Lightroom, cameras)."""
    return f"{name}.xmp", f"{_split(name)[0]}.xmp"


def video_names(name: str) -> tuple[str, str]:
    """The video of a Live Photo."""
    stem = _split(name)[0]
    return f"{stem}.mov", f"{stem}.mp4"


def takeout_names(name: str) -> Iterator[str]:
    """Yield the names that Takeout may give the JSON file of a photo, the most specific first.

    ``IMG_1(1).jpg`` has ``IMG_1.jpg.supplemental-metadata(1).json``, before 2024 ``IMG_1.jpg(1).json``. An edited photo
    shares the JSON file of its original, and so does a part of a motion photo: ``PXL_1.MP`` that of ``PXL_1.MP.jpg``.
    """
    stem, ending = _split(name)
    number = match[0] if (match := _NUMBER.search(stem)) else ""
    base = stem.removesuffix(number)
    if not number and _EDITED.search(base):
        # The number may stand before the mark of an edit: ``IMG_1(1)-edited.jpg``.
        number = match[0] if (match := _NUMBER.search(_EDITED.sub("", base))) else ""
    original = _EDITED.sub("", base).removesuffix(number)
    bases = dict.fromkeys((base, original))
    for one_base in bases:
        full = one_base + ending
        supplemental = f"{full}.supplemental-metadata"
        yield f"{supplemental}{number}.json"
        yield f"{supplemental[:_STEM_LENGTH]}{number}.json"
        yield f"{full[:_STEM_LENGTH]}{number}.json"
        if number:
            yield f"{one_base}{number}{ending}.supplemental-metadata.json"
            yield f"{one_base}{number}{ending}.json"
        yield f"{one_base}{number}.json"
    if ending.lower() == ".mp":
        yield f"{name}.jpg.supplemental-metadata.json"
        yield f"{name}.jpg.json"


def _split(name: str) -> tuple[str, str]:
    """Stem and ending with its dot; a name without a dot has no ending."""
    stem, dot, ending = name.rpartition(".")
    return (stem, dot + ending) if dot else (name, "")
