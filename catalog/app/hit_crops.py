"""Crops of watch hits as files, named by the number of the hit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.app.private_files import make_private_folder, write_privately
from catalog.domain.errors import PhotoError, SourceError, UsageError

if TYPE_CHECKING:
    from catalog.identities.matching.watch_hits import WatchHit
    from catalog.store.catalogued_faces import CataloguedFace


@dataclass(slots=True)
class HitCrops:
    """The crops that were written. ``paths`` are absolute, by number of the hit.

    ``reasons`` are sentences by number of the hit, for photos that cannot be read. ``error`` is set if the folder or a
    file cannot be written.
    """

    paths: dict[int, Path] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    error: UsageError | None = None


def write_hit_crops(crop: Callable[[CataloguedFace], bytes], hits: Iterable[WatchHit], folder: Path) -> HitCrops:
    """Write a crop of each hit as ``hit-NUMBER.jpg``, readable by its owner only. ``crop`` gives the JPEG of a face.

    Raises nothing: the command of the user must learn of the hits also if no crop can be written.
    """
    crops = HitCrops()
    try:
        make_private_folder(folder)
        for hit in hits:
            path = (folder / f"hit-{hit.number}.jpg").absolute()
            try:
                data = crop(hit.face)
            except (PhotoError, SourceError) as error:
                crops.reasons[hit.number] = str(error)
                continue
            write_privately(path, data)
            crops.paths[hit.number] = path
    except UsageError as error:
        crops.error = error
    return crops
