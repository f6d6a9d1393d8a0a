"""The search file of a large collection: encoded vectors, mapped into memory and shared by all processes of a machine.

A process that reads all vectors from the database needs 20 s and 600 MB for a million faces. The file is brought up to
date by the changes since its revision, as :mod:`.replica` does with its memory. It only proposes rows: the similarities
of a search are computed from the vectors in the database. A file that is absent, damaged, or made by another model or
another history of the collection is built anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping

from catalog.engines.local.common_component_removal import COMPONENTS_FILE, Floats
from catalog.engines.local.gallery_statements import (
    ADDITIONS,
    COLLECTION,
    COLLECTION_IDS,
    FACE_ID_OF,
    IS_REMOVAL,
    REMOVALS,
    REMOVED_SEQ,
)
from catalog.engines.local.networks import WEIGHTS
from catalog.engines.local.replica import check_model, vectors_of
from catalog.engines.local.vector_codes import candidates, encode
from catalog.engines.local.vector_file import DamagedFileError, Header, VectorFile, Writer, exclusive_lock

log = logging.getLogger(__name__)

Connect = Callable[[], AbstractContextManager[Connection]]
_SUFFIX = ".vectors"
_PART_SUFFIX = ".part"
"""After the name of a file that is being built. A killed process leaves it; it holds vectors, too."""
_CACHE_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# Search files of catalog, which builds them again.\n"
_REMOVED_SHARE = 0.25
"""Share of removed rows from which the file is built anew."""
_STALE_SECONDS = 90 * 24 * 3600
"""A file that no search used for so long is deleted."""
_SHORT_BUILD_SECONDS = 2.0


class SearchFileError(Exception):
    """The file cannot be written. A search then reads the vectors from the database."""


class MappedVectors:
    """The search file of one collection in ``folder``. Safe for several threads and processes."""

    def __init__(self, folder: Path, collection_id: str, model: str) -> None:
        self._collection_id = collection_id
        self._model = model
        self._folder = folder
        self.path = folder / _file_name(collection_id)
        self._part = self.path.with_name(f"{self.path.name}{_PART_SUFFIX}")
        self._refreshing = threading.Lock()
        self._file: VectorFile | None = None
        self._intact: set[int] = set()

    def exists(self) -> bool:
        return self.path.exists()

    def delete(self) -> None:
        """Delete the file, if there is one. Its rows are in the database."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def close(self) -> None:
        """Release the map. The next search maps the file again."""
        with self._refreshing:
            self._file = None

    def candidates(self, connect: Connect, probe: Floats, floor: float, limit: int) -> NDArray[np.int64]:
        """Return row numbers of the database: all of the ``limit`` best rows at or above ``floor``, and others.

        Brings the file up to date first. Raises SearchFileError.
        """
        file = self.refresh(connect)
        return candidates(file.blocks, probe, floor, limit) if file else np.zeros(0, np.int64)

    def refresh(self, connect: Connect) -> VectorFile | None:
        """Bring the file up to date and return its map; None if the collection does not exist. Raises SearchFileError.

        Raises :class:`EngineError` if another model made the vectors.
        """
        with self._refreshing:
            try:
                return self._refresh(connect)
            except OSError as error:
                self._file = None
                raise SearchFileError(f'The search file "{self.path}" cannot be used: {error.strerror}.') from error

    def drop_removed(self, connect: Connect) -> None:
        """Overwrite the rows of removed faces, if there is a file. Deletes the file where that fails.

        Deletes what a killed process left. Raises OSError if a file cannot be deleted.
        """
        if self._part.exists():
            with exclusive_lock(self.path):  # a process that builds the file now replaces the part before
                self._part.unlink(missing_ok=True)
        if not self.exists():
            return
        try:
            self.refresh(connect)
        except SearchFileError:
            self.path.unlink(missing_ok=True)

    # ------------------------------------------------------------------------------------------------ private

    def _refresh(self, connect: Connect) -> VectorFile | None:
        with connect() as connection:
            collection = self._read_collection(connection)
            if collection is not None and self._is_up_to_date(connection, collection):
                return self._file
        if collection is None:
            self._file = None
            self.path.unlink(missing_ok=True)
            return None
        self._make_folder()
        with exclusive_lock(self.path), connect() as connection:
            # Another process may have changed the file, or the collection, since.
            collection = self._read_collection(connection)
            if collection is None:
                return None
            if not self._is_up_to_date(connection, collection, is_locked=True) and not self._catch_up(
                connection, collection
            ):
                self._build(connection, collection)
                self._sweep(connection)
            if not self._is_up_to_date(connection, collection, is_locked=True):
                raise OSError(None, "the file differs from what was written")
        return self._file

    def _make_folder(self) -> None:
        """Create the folder, with the tag by which scans and backup programs leave it out."""
        if self._folder.is_dir():
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "CACHEDIR.TAG", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_CACHE_TAG)

    def _read_collection(self, connection: Connection) -> RowMapping | None:
        collection = connection.execute(COLLECTION, {"collection_id": self._collection_id}).mappings().first()
        if collection is not None:
            check_model(collection, self._collection_id, self._model)
        return collection

    def _is_up_to_date(self, connection: Connection, collection: RowMapping, *, is_locked: bool = False) -> bool:
        """Map the file if it changed. Return True if it shows the revision of the collection."""
        if self._file is None or not self._file.is_current(self.path):
            self._file = self._open(collection)
        file = self._file
        if file is None or file.header.revision != collection["revision"]:
            return False
        if not self._has_same_history(connection, file.header):
            return False
        for index, block in enumerate(file.blocks):
            if index in self._intact:
                continue
            if not block.is_intact():
                if is_locked:
                    self._discard(f"block {index} has another checksum")
                return False  # a process may write the block now; with the lock, none does
            self._intact.add(index)
        return True

    def _open(self, collection: RowMapping) -> VectorFile | None:
        identity = self._file.identity if self._file else None
        try:
            file = VectorFile(self.path)
        except FileNotFoundError:
            return None
        except DamagedFileError as error:
            self._discard(str(error))
            return None
        with contextlib.suppress(OSError):
            os.utime(self.path)  # the file is in use: see _sweep
        if file.identity != identity:
            self._intact = set()
        return file if file.header.key == _key(collection) else None

    def _discard(self, reason: str) -> None:
        log.warning('The search file "%s" is damaged (%s) and is built again.', self.path, reason)
        self._file = None

    def _has_same_history(self, connection: Connection, header: Header) -> bool:
        """Return False if the collection was replaced by a backup of an earlier revision.

        The face that was added last, and the removal that was applied last, must be known.
        """
        key = {"collection_id": self._collection_id}
        if header.added_seq:
            added = {**key, "seq": header.added_seq}
            face_id = connection.execute(FACE_ID_OF, added).scalar()
            if face_id is None and connection.execute(REMOVED_SEQ, added).first() is None:
                return False
            if face_id not in (None, header.added_face):
                return False
        removal = {**key, "revision": header.removal_revision, "seq": header.removal_seq}
        return not header.removal_seq or connection.execute(IS_REMOVAL, removal).first() is not None

    def _catch_up(self, connection: Connection, collection: RowMapping) -> bool:
        """Apply the changes since the file's revision. Return False if it must be built anew."""
        file = self._file
        if file is None or file.header.revision > collection["revision"]:
            return False
        if not self._has_same_history(connection, file.header):
            return False
        removals = self._removals(connection, file.header.revision, collection["revision"])
        if (file.header.removed + len(removals)) > _REMOVED_SHARE * max(file.header.rows, 1):
            return False
        try:
            with Writer(self.path, file.header, is_new=False) as writer:
                self._write_changes(connection, writer, removals, collection)
        except DamagedFileError as error:
            self._discard(str(error))
            return False
        return True

    def _build(self, connection: Connection, collection: RowMapping) -> None:
        started = time.monotonic()
        self._part.unlink(missing_ok=True)  # of a killed process: this one holds the lock
        try:
            with Writer(self._part, Header(_key(collection)), is_new=True) as writer:
                removals = self._removals(connection, collection["revision"] - 1, collection["revision"])
                self._write_changes(connection, writer, removals, collection)
            self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)
        seconds = time.monotonic() - started
        level = logging.INFO if seconds < _SHORT_BUILD_SECONDS else logging.WARNING
        log.log(level, 'The search file "%s" was built in %.0f s.', self.path, seconds)

    def _removals(self, connection: Connection, after: int, until: int) -> list[tuple[int, int]]:
        """Return revision and row number of the removals in a range of revisions, oldest first."""
        key = {"collection_id": self._collection_id, "after": after, "until": until}
        return [(row.revision, row.seq) for row in connection.execute(REMOVALS, key)]

    def _write_changes(
        self, connection: Connection, writer: Writer, removals: Sequence[tuple[int, int]], collection: RowMapping
    ) -> None:
        before = writer.header.revision
        if removals and writer.header.rows:
            writer.remove(seq for _, seq in removals)
        for seqs, last_face, vectors in self._additions(connection, before, collection["revision"]):
            writer.append(seqs, last_face, encode(vectors))
        header = replace(writer.header, revision=collection["revision"])
        if removals:
            header = replace(header, removal_revision=removals[-1][0], removal_seq=removals[-1][1])
        writer.finish(header)

    def _additions(self, connection: Connection, after: int, until: int) -> Iterator[tuple[Sequence[int], str, Floats]]:
        key = {"collection_id": self._collection_id, "after": after, "until": until}
        for part in connection.execute(ADDITIONS, key).partitions():
            seqs, face_ids, blobs = zip(*part, strict=True)
            yield seqs, face_ids[-1], vectors_of(blobs)

    def _sweep(self, connection: Connection) -> None:
        """Delete files of collections that no longer exist, and files that no search used for 90 days."""
        names = {_file_name(collection_id) for collection_id in connection.execute(COLLECTION_IDS).scalars()}
        oldest = time.time() - _STALE_SECONDS
        for file in (*self._folder.glob(f"*{_SUFFIX}"), *self._folder.glob(f"*{_SUFFIX}{_PART_SUFFIX}")):
            with contextlib.suppress(OSError):
                if file.name.removesuffix(_PART_SUFFIX) not in names or file.stat().st_mtime < oldest:
                    file.unlink()


def _file_name(collection_id: str) -> str:
    return hashlib.sha256(collection_id.encode()).hexdigest()[:32] + _SUFFIX


def _key(collection: RowMapping) -> str:
    """Digest of everything on which the codes depend, besides the rows themselves."""
    manifest = json.loads((WEIGHTS / "manifest.json").read_text(encoding="utf-8"))
    parts = [collection["collection_id"], collection["instance"], collection["model"], manifest[COMPONENTS_FILE]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
