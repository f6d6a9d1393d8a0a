"""Count the steps of a plan without a scan.

Whether a location turns out new, changed, moved or a duplicate is known after its bytes are hashed. The counts, and
their cost, are therefore upper bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from catalog.domain.apple_library import apple_asset
from catalog.domain.file_names import ending_label
from catalog.domain.source import OtherFile, Skipped
from catalog.domain.stack_names import stack_name
from catalog.domain.uri import entry_name
from catalog.scanning.paid_shots import shot_key
from catalog.scanning.photo_task import PhotoTask
from catalog.scanning.plan import Excluded, Step, Unchanged
from catalog.scanning.read_stage import is_photo


@dataclass(slots=True)
class FolderCounts:
    """Photos of one folder: those discovered, and those of them that a scan would read."""

    discovered: int = 0
    to_read: int = 0


@dataclass(slots=True)
class Estimate:
    """Number of locations that a scan would find unchanged, read as new, read as changed, and skip."""

    unchanged: int = 0
    unseen: int = 0
    altered: int = 0
    skipped: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Files and folders left out, by rule."""
    other_files: Counter[str] = field(default_factory=Counter)
    """Files that are not photos, by ending."""
    stacked: int = 0
    """Photos to read that are not sent to a paid engine if their images confirm what their names say: another file of
    the same exposure is sent, or was sent before."""

    folders: dict[str, FolderCounts] = field(default_factory=dict)
    """Discovered photos and photos to read, by the uri of their folder with its closing slash."""

    @property
    def discovered(self) -> int:
        return self.unchanged + self.unseen + self.altered + self.skipped

    @property
    def to_read(self) -> int:
        """Upper bound of the photos to enroll."""
        return self.unseen + self.altered

    def add(self, counts: Estimate) -> None:
        """Add the counts of another source."""
        self.unchanged += counts.unchanged
        self.unseen += counts.unseen
        self.altered += counts.altered
        self.skipped += counts.skipped
        self.left_out += counts.left_out
        self.other_files += counts.other_files
        self.stacked += counts.stacked
        for uri, folder in counts.folders.items():
            own = self.folders.setdefault(uri, FolderCounts())
            own.discovered += folder.discovered
            own.to_read += folder.to_read

    def add_photo(self, uri: str, *, is_read: bool) -> None:
        """Count a photo for its folder."""
        folder = self.folders.setdefault(uri[: uri.rfind("/") + 1], FolderCounts())
        folder.discovered += 1
        folder.to_read += is_read


class _ShotCounter:
    """Counts photos that need not be sent to a paid engine, because another photo is the same exposure by its name.

    Holds two numbers for each name, not the name.
    """

    def __init__(self) -> None:
        self._variants: dict[int, tuple[int, bool]] = {}

    def add(self, uri: str, *, is_sent: bool) -> int:
        """Return how many further photos need not be sent. ``is_sent``: the photo was sent by an earlier scan."""
        name = stack_name(entry_name(uri).decode("utf-8", "surrogateescape"))
        is_variant = name.is_edited or apple_asset(uri) is not None
        key, variant = hash(shot_key(uri)), hash(uri if is_variant else name.ending)
        if key not in self._variants:
            self._variants[key] = variant, is_sent
            return 0
        first, was_sent = self._variants[key]
        if first == variant:
            return 0
        self._variants[key] = first, was_sent or is_sent
        return int(not is_sent or not was_sent)


def estimate(
    steps: Iterable[Step], on_photo: Callable[[PhotoTask], None] = lambda _: None, *, pays_per_shot: bool = False
) -> Estimate:
    """Count the steps, and call ``on_photo`` for each photo to read.

    Reads the first bytes of new files whose name does not say that they are photos. With ``pays_per_shot`` the files of
    one exposure are counted in ``stacked``, as far as names tell.
    """
    counts = Estimate()
    shots = _ShotCounter()
    for step in steps:
        match step:
            case Unchanged(locations):
                counts.unchanged += len(locations)
                for uri in locations.uris:
                    counts.add_photo(uri, is_read=False)
                    if pays_per_shot:
                        counts.stacked += shots.add(uri, is_sent=True)
            case Skipped(uri):
                counts.skipped += not uri.endswith("/")
                if not uri.endswith("/"):
                    counts.add_photo(uri, is_read=False)
            case Excluded(item):
                counts.left_out[item.rule] += 1
            case OtherFile(uri):
                counts.other_files[ending_label(entry_name(uri))] += 1
            case PhotoTask(known=None) if not is_photo(step.source, step.ref):
                counts.other_files[ending_label(entry_name(step.ref.uri))] += 1
            case PhotoTask(known=known):
                if pays_per_shot:
                    counts.stacked += shots.add(step.ref.uri, is_sent=False)
                counts.unseen += known is None
                counts.altered += known is not None
                counts.add_photo(step.ref.uri, is_read=True)
                on_photo(step)
    return counts
