"""The watch list: persons of interest, and the hits that users review."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from catalog.app.photo_input import PhotoInput, name_of_photo
from catalog.app.resources import Resources
from catalog.domain.errors import UsageError
from catalog.domain.recommended_thresholds import WATCH_THRESHOLD
from catalog.identities.matching import watch_list as watching
from catalog.identities.matching.watch_hits import State, WatchHit, read_hits, review_hit
from catalog.store import watch_rows
from catalog.store.watch_rows import WatchEntry


class WatchList:
    """Persons of interest, searched for in every scan. A hit is unreviewed until a user confirms or dismisses it."""

    def __init__(self, resources: Callable[[], Resources]) -> None:
        self._resources = resources

    def add(
        self,
        name: str,
        references: Sequence[PhotoInput],
        *,
        negatives: Sequence[PhotoInput] = (),
        threshold: float = WATCH_THRESHOLD,
    ) -> WatchEntry:
        """Put a person on the watch list. ``threshold`` is the lowest similarity of a hit, 0 to 100.

        ``negatives`` are photos of other people who look similar. Raises NoFaceError, and UsageError for a name
        that is on the list. A person is searched for in all enrolled faces at the next check.
        """
        resources = self._resources()
        return watching.add_watch(
            resources.database,
            resources.engine,
            name,
            [resources.open_file(photo) for photo in references],
            [resources.open_file(photo) for photo in negatives],
            resources.stamp(),
            threshold=threshold,
            region=resources.region,
            names=[name_of_photo(photo) for photo in (*references, *negatives)],
        )

    def list(self) -> tuple[WatchEntry, ...]:
        """The entries of the watch list."""
        with self._resources().reading() as database:
            return tuple(watching.list_watches(database))

    def remove(self, name: str) -> None:
        """Remove an entry with its references and hits. Raises UsageError for an unknown name."""
        with self._resources().database.begin() as connection:
            watching.remove_watch(connection, name)

    def check(self) -> tuple[WatchHit, ...]:
        """Search for every entry now. Returns the new hits.

        A scan does the same for entries that are new, and for all entries if it changed the faces of the gallery.
        """
        resources = self._resources()
        hits, _ = watching.check_watches(
            resources.database,
            resources.engine,
            resources.open_photo,
            gallery=resources.gallery,
            region=resources.region,
            scan_id=None,
            now=datetime.now(UTC),
        )
        return tuple(hits)

    def hits(self, *, state: State | None = None, name: str | None = None) -> tuple[WatchHit, ...]:
        """The hits, newest first; ``state`` is open, confirmed or dismissed, ``name`` that of an entry.

        Raises UsageError for a name that is not on the list.
        """
        return tuple(read_hits(self._resources().database, state=state, name=name))

    def references(self, name: str) -> tuple[int, ...]:
        """Numbers of the references that show the person of an entry, for :meth:`reference_image`."""
        with self._resources().reading() as database, database.read() as connection:
            return tuple(watch_rows.reference_numbers(connection, name))

    def reference_image(self, number: int) -> bytes:
        """The stored crop of a reference as JPEG. Raises UsageError for an unknown number."""
        with self._resources().reading() as database, database.read() as connection:
            image = watch_rows.reference_image(connection, number)
        if image is None:
            raise UsageError(f"There is no reference {number}.")
        return image

    def confirm(self, *numbers: int) -> None:
        """Record that hits show the person of the entry. Raises UsageError for an unknown number; then none is."""
        self._review(numbers, "confirmed")

    def dismiss(self, *numbers: int) -> None:
        """Record that hits show another person. Raises UsageError for an unknown number; then none is."""
        self._review(numbers, "dismissed")

    def _review(self, numbers: Sequence[int], state: State) -> None:
        resources = self._resources()
        with resources.database.begin() as connection:
            for number in numbers:
                review_hit(connection, number, state, resources.stamp())
