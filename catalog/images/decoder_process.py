"""The decoder process: decodes photos for ``DecoderPool``, and may crash.

``python -m catalog.images.decoder_process FD MAX_PIXELS SECONDS MEMORY_BYTES`` serves requests from the socket
``FD`` until the other end closes it.

A request is ``max_side``, the length and the bytes of the photo. A response is its length and JSON: either an error
sentence, or all values except the pixels. The pixels are in an anonymous file whose descriptor is sent along; the file
is deleted with the last process that has it open. Nothing is pickled, so that a photo that takes over the decoder
cannot run code in the other process.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
import sys
import tempfile
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.domain.errors import PhotoError
from catalog.domain.local_day import DatePrecision
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import GpsPosition, PhotoMetadata
from catalog.domain.taken_at import DateSource, TakenAt
from catalog.images.decode import DecodeLimits, open_image
from catalog.images.image_hash import HASH_DIGITS

REQUEST = struct.Struct("<IQ")
"""``max_side``, 0 for none, and the number of bytes of the photo."""
REPLY = struct.Struct("<I")
"""The number of bytes of the JSON that follows."""
READY = b"+"
"""First byte that a process sends."""
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end a scan after the photos in work. The parent process handles them."""
GRACE = 5
"""Seconds after the time limit at which a process ends itself, if its parent no longer exists."""


def serve(channel: socket.socket, limits: DecodeLimits) -> None:
    """Serve requests until the other end is closed."""
    channel.sendall(READY)
    while True:
        head = receive(channel, REQUEST.size)
        if len(head) < REQUEST.size:
            return
        max_side, size = REQUEST.unpack(head)
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + GRACE)
        reply, pixels = _answer(receive(channel, size), max_side or None, limits)
        response = json.dumps(reply).encode("ascii")
        descriptors = [] if pixels is None else [pixels]
        socket.send_fds(channel, [REPLY.pack(len(response)) + response], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(data: bytes, max_side: int | None, limits: DecodeLimits) -> tuple[dict[str, Any], int | None]:
    try:
        photo = open_image(data, limits=limits, max_side=max_side)
        pixels = _anonymous_file()
        remaining = photo.pixels.data.cast("B")
        while remaining:
            remaining = remaining[os.write(pixels, remaining) :]
    except PhotoError as error:
        return {"error": str(error), "remedy": error.remedy}, None
    except MemoryError:
        return {"error": "The photo needs more memory to decode than the limit allows.", "remedy": ""}, None
    return describe(photo), pixels


def _anonymous_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("catalog-pixels")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def receive(channel: socket.socket, size: int) -> bytes:
    """Receive ``size`` bytes, or fewer if the other end was closed before."""
    parts = bytearray(size)
    view, done = memoryview(parts), 0
    while done < size:
        count = channel.recv_into(view[done:], 0, socket.MSG_WAITALL)
        if count == 0:
            return bytes(view[:done])
        done += count
    return bytes(parts)


# ------------------------------------------------------------------------------------------------------ response


def describe(photo: OpenedPhoto) -> dict[str, Any]:
    """All values of an opened photo except pixels and bytes, for JSON."""
    metadata, gps = photo.metadata, photo.metadata.gps
    return {
        "shape": photo.pixels.shape[:2],
        "size": [photo.width, photo.height],
        "format": photo.format,
        "orientation": photo.orientation,
        "note": photo.note,
        "image_hash": photo.image_hash,
        "taken_at": metadata.taken_at.isoformat() if metadata.taken_at else None,
        "taken_at_offset": metadata.taken_at_offset,
        "taken_at_source": metadata.taken_at_source,
        "taken_at_precision": metadata.taken_at_precision,
        "dates": [
            [date.moment.isoformat(), date.offset, date.precision, date.source, date.is_instant]
            for date in metadata.dates
        ],
        "is_scan": metadata.is_scan,
        "camera": [metadata.camera_make, metadata.camera_model],
        "gps": [gps.latitude, gps.longitude, gps.altitude] if gps else None,
    }


def photo_of(response: dict[str, Any], pixels: NDArray[np.uint8], data: bytes) -> OpenedPhoto:
    """The opened photo of a response."""
    (width, height), (make, model) = response["size"], response["camera"]
    metadata = PhotoMetadata(
        taken_at=datetime.fromisoformat(response["taken_at"]) if response["taken_at"] else None,
        taken_at_offset=response["taken_at_offset"],
        camera_make=make,
        camera_model=model,
        gps=GpsPosition(*response["gps"]) if response["gps"] else None,
        taken_at_source=DateSource(response["taken_at_source"]) if response["taken_at_source"] else None,
        taken_at_precision=DatePrecision(response["taken_at_precision"]) if response["taken_at_precision"] else None,
        dates=tuple(
            TakenAt(datetime.fromisoformat(moment), offset, DatePrecision(precision), DateSource(source), is_instant)
            for moment, offset, precision, source, is_instant in response["dates"]
        ),
        is_scan=response["is_scan"],
    )
    return OpenedPhoto(
        pixels,
        width,
        height,
        response["format"],
        response["orientation"],
        metadata,
        data,
        image_hash=checked_hash(response["image_hash"]),
        note=response["note"],
    )


def checked_hash(value: object) -> str | None:
    """Raises ValueError for a value that is no hash."""
    if value is None:
        return None
    if not isinstance(value, str) or len(value) != HASH_DIGITS or len(bytes.fromhex(value)) * 2 != HASH_DIGITS:
        raise ValueError("the hash of the image is malformed")
    return value


# ------------------------------------------------------------------------------------------------------ the process


def main() -> None:
    number, max_pixels, seconds, memory = sys.argv[1:]
    limits = DecodeLimits(int(max_pixels), float(seconds), int(memory))
    # The parent process handles these signals and ends its decoders when their photos are done.
    for name in INTERRUPTIONS:
        signal.signal(name, signal.SIG_IGN)
    _limit_memory(limits.memory_bytes)
    _silence()
    with socket.socket(fileno=int(number)) as channel:
        try:
            serve(channel, limits)
        except (BrokenPipeError, ConnectionResetError):
            return  # the other end is closed


def _limit_memory(allowed: int) -> None:
    """Allow ``allowed`` bytes beyond the memory mapped already. Disable core dumps, which would hold photos."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - not worth a Path
            mapped = int(statm.read().split()[0]) * resource.getpagesize()
        _, hard_limit = resource.getrlimit(resource.RLIMIT_AS)
        limit = mapped + allowed
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard_limit < 0 else min(limit, hard_limit), hard_limit))


def _silence() -> None:
    """Discard output of C libraries about damaged photos. The response holds the error."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


if __name__ == "__main__":
    main()
