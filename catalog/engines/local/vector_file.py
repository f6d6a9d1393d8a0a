"""A file of encoded vectors that searches map into memory. Several processes read it while one process changes it.

A header is followed by blocks of 4,096 rows. Rows are appended, and a removed row is overwritten with zeros. A reader
uses the rows that its header counts, so that rows appended later do not disturb it. Each block has a checksum, which a
reader compares at its first scan. The header is written last, after the blocks are on the disk.

Only the process that holds :func:`exclusive_lock` may write. The file holds biometric data: only its owner may read it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import mmap
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.embed import DIMENSION
from catalog.engines.local.vector_codes import Encoded

BLOCK_ROWS = 4096
_HEADER_BYTES = 4096
_MAGIC = b"catvec1\n"
_BLOCK = np.dtype(
    [
        ("checksum", "<u8"),
        ("error", "<f4"),
        ("unused", "V52"),
        ("seqs", "<i8", (BLOCK_ROWS,)),
        ("scales", "<f4", (BLOCK_ROWS,)),
        ("codes", "i1", (BLOCK_ROWS, DIMENSION)),
    ]
)
"""A multiple of 64 bytes, so that no row of codes crosses a cache line more than needed."""
_SEQS_OFFSET = 64
"""Of a block, in bytes."""


class DamagedFileError(Exception):
    """The file is not one of this program, or a part of it was changed or cut."""


@dataclass(frozen=True, slots=True)
class Header:
    """State of a file. ``key`` identifies the collection, the model and the encoding, 64 hex digits.

    ``revision`` is the collection's revision that the rows show. ``rows`` counts the removed rows, too.
    """

    key: str
    revision: int = 0
    rows: int = 0
    removed: int = 0
    added_seq: int = 0
    """Row number of the face that was appended last."""
    added_face: str = ""
    removal_revision: int = 0
    removal_seq: int = 0
    """Revision and row number of the removal that was applied last."""

    def pack(self) -> bytes:
        """Return the magic, the CRC-32 of the rest, and JSON, filled up with zeros."""
        text = json.dumps(asdict(self)).encode()
        return (_MAGIC + zlib.crc32(text).to_bytes(4, "little") + text).ljust(_HEADER_BYTES, b"\0")

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """Raises DamagedFileError."""
        text = data[len(_MAGIC) + 4 :].rstrip(b"\0")
        if not data.startswith(_MAGIC + zlib.crc32(text).to_bytes(4, "little")):
            raise DamagedFileError("the header has another checksum")
        try:
            header = cls(**json.loads(text))
            is_possible = 0 <= header.removed <= header.rows
        except (ValueError, TypeError) as error:
            raise DamagedFileError("the header cannot be read") from error
        if not is_possible:
            raise DamagedFileError("the header counts impossible rows")
        return header


@dataclass(frozen=True, slots=True, eq=False)
class MappedBlock:
    """The used rows of one block, read from the map."""

    record: NDArray[Any]
    rows: int

    @property
    def seqs(self) -> NDArray[np.int64]:
        return np.asarray(self.record["seqs"][0, : self.rows])

    @property
    def scales(self) -> NDArray[np.float32]:
        return np.asarray(self.record["scales"][0, : self.rows])

    @property
    def codes(self) -> NDArray[np.int8]:
        return np.asarray(self.record["codes"][0, : self.rows])

    @property
    def error(self) -> float:
        return float(self.record["error"][0])

    def is_intact(self) -> bool:
        return int(self.record["checksum"][0]) == _checksum(self.record)


class VectorFile:
    """A file that is mapped read-only. ``identity`` changes when another file takes its name."""

    def __init__(self, path: Path) -> None:
        """Raises DamagedFileError, and OSError for a file that cannot be read."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            self.identity = _identity(os.fstat(descriptor))
            self.header = Header.parse(os.pread(descriptor, _HEADER_BYTES, 0))
            count = -(-self.header.rows // BLOCK_ROWS)
            size = _HEADER_BYTES + count * _BLOCK.itemsize
            if os.fstat(descriptor).st_size < size:
                raise DamagedFileError("the file is cut")
            self._map = mmap.mmap(descriptor, size, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        with contextlib.suppress(OSError, AttributeError):  # a hint to the system, unknown on some
            self._map.madvise(mmap.MADV_WILLNEED)
        records = np.frombuffer(self._map, _BLOCK, count, _HEADER_BYTES)
        self.blocks: list[MappedBlock] = [
            MappedBlock(records[i : i + 1], min(BLOCK_ROWS, self.header.rows - i * BLOCK_ROWS)) for i in range(count)
        ]

    def is_current(self, path: Path) -> bool:
        """Return False if another file has the name now, or the header has changed."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            is_same = _identity(os.fstat(descriptor)) == self.identity
            return is_same and os.pread(descriptor, _HEADER_BYTES, 0) == self.header.pack()
        finally:
            os.close(descriptor)


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock of the file at ``path`` for the block. Waits for other threads and processes."""
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Writer:
    """Writes a file: a new one, or one that exists. The caller holds the lock. ``finish`` makes the changes valid."""

    def __init__(self, path: Path, header: Header, *, is_new: bool) -> None:
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | ((os.O_CREAT | os.O_EXCL) if is_new else 0)
        self._descriptor = os.open(path, flags, 0o600)
        self.header = header
        used = self._offset(-(-header.rows // BLOCK_ROWS))
        if os.fstat(self._descriptor).st_size > used:  # a killed process left blocks that no header counts
            os.ftruncate(self._descriptor, used)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def append(self, seqs: Sequence[int], last_face: str, encoded: Encoded) -> None:
        """Append rows. ``last_face`` is the face id of the last one."""
        done = 0
        while done < len(seqs):
            index, used = divmod(self.header.rows, BLOCK_ROWS)
            block = self._read(index) if used else np.zeros(1, _BLOCK)
            end = min(len(seqs), done + BLOCK_ROWS - used)
            rows = slice(used, used + end - done)
            block["seqs"][0, rows] = seqs[done:end]
            block["scales"][0, rows] = encoded.scales[done:end]
            block["codes"][0, rows] = encoded.codes[done:end]
            block["error"] = max(float(block["error"][0]), encoded.error)
            self._write(index, block)
            self.header = replace(self.header, rows=self.header.rows + end - done)
            done = end
        self.header = replace(self.header, added_seq=int(seqs[-1]), added_face=last_face)

    def remove(self, seqs: Iterable[int]) -> None:
        """Overwrite the rows of removed faces with zeros."""
        wanted = np.asarray(list(seqs), np.int64)
        for index in range(-(-self.header.rows // BLOCK_ROWS)):
            data = os.pread(self._descriptor, BLOCK_ROWS * 8, self._offset(index) + _SEQS_OFFSET)
            (rows,) = np.nonzero(np.isin(np.frombuffer(data, "<i8"), wanted))
            if not rows.size:
                continue
            block = self._read(index)
            for name in ("seqs", "scales", "codes"):
                block[name][0, rows] = 0
            self._write(index, block)
            self.header = replace(self.header, removed=self.header.removed + rows.size)

    def finish(self, header: Header) -> None:
        """Write the header after all rows are on the disk."""
        os.fsync(self._descriptor)
        self._write_at(0, header.pack())
        os.fsync(self._descriptor)

    def _read(self, index: int) -> NDArray[Any]:
        data = os.pread(self._descriptor, _BLOCK.itemsize, self._offset(index))
        if len(data) < _BLOCK.itemsize:
            raise DamagedFileError("the file is cut")
        block = np.frombuffer(bytearray(data), _BLOCK)
        if int(block["checksum"][0]) != _checksum(block):
            raise DamagedFileError(f"block {index} has another checksum")
        return block

    def _write(self, index: int, block: NDArray[Any]) -> None:
        block["checksum"] = _checksum(block)
        self._write_at(self._offset(index), block.tobytes())

    def _write_at(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            view, offset = view[written:], offset + written

    @staticmethod
    def _offset(index: int) -> int:
        return _HEADER_BYTES + index * _BLOCK.itemsize


def _checksum(block: NDArray[Any]) -> int:
    """Return the sum of the block's 64-bit words after the checksum itself."""
    return int(block.view("<u8")[1:].sum(dtype=np.uint64))


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino
