"""A process that decodes photos for another one, and may die of them.

``python -m catalog.images.decoder_process FD MAX_PIXELS SECONDS MEMORY_BYTES`` serves requests from the socket
``FD`` until that is closed at the other end. ``DecoderPool`` is the other end.

A request is its ``max_side`` and length, then the photo's bytes. A reply is its length, then JSON: either a sentence
why the photo cannot be opened, or everything but the pixels, which lie in a file without a name whose descriptor comes
along. Such a file is gone with the last process that has it open, however that process ends. Nothing is pickled: a
photo that takes over its decoder must not reach further.
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
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import GpsPosition, PhotoMetadata
from catalog.images.decode import DecodeLimits, open_image

REQUEST = struct.Struct("<IQ")
"""``max_side``, 0 for none, and the number of bytes of the photo."""
REPLY = struct.Struct("<I")
"""The number of bytes of the JSON that follows."""
READY = b"+"
"""What a worker says first."""
GRACE = 5
"""Seconds after which a worker ends itself when the process that should have ended it is gone."""


def serve(channel: socket.socket, limits: DecodeLimits) -> None:
    """Open photos until the other end is closed."""
    channel.sendall(READY)
    while True:
        head = receive(channel, REQUEST.size)
        if len(head) < REQUEST.size:
            return
        max_side, size = REQUEST.unpack(head)
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + GRACE)
        reply, pixels = _answer(receive(channel, size), max_side or None, limits)
        told = json.dumps(reply).encode("ascii")
        descriptors = [] if pixels is None else [pixels]
        socket.send_fds(channel, [REPLY.pack(len(told)) + told], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(data: bytes, max_side: int | None, limits: DecodeLimits) -> tuple[dict[str, Any], int | None]:
    try:
        photo = open_image(data, limits=limits, max_side=max_side)
        pixels = _nameless_file()
        left = photo.pixels.data.cast("B")
        while left:
            left = left[os.write(pixels, left) :]
    except PhotoError as error:
        return {"error": str(error), "remedy": error.remedy}, None
    except MemoryError:
        return {"error": "The photo needs more memory to decode than the limit allows.", "remedy": ""}, None
    return describe(photo), pixels


def _nameless_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("catalog-pixels")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def receive(channel: socket.socket, size: int) -> bytes:
    """Exactly ``size`` bytes, or fewer where the other end was closed before."""
    parts = bytearray(size)
    view, done = memoryview(parts), 0
    while done < size:
        count = channel.recv_into(view[done:], 0, socket.MSG_WAITALL)
        if count == 0:
            return bytes(view[:done])
        done += count
    return bytes(parts)


# ------------------------------------------------------------------------------------------------------ what is told


def describe(photo: OpenedPhoto) -> dict[str, Any]:
    """Everything of an opened photo but its pixels and bytes, for JSON."""
    metadata, gps = photo.metadata, photo.metadata.gps
    return {
        "shape": photo.pixels.shape[:2],
        "size": [photo.width, photo.height],
        "format": photo.format,
        "orientation": photo.orientation,
        "taken_at": metadata.taken_at.isoformat() if metadata.taken_at else None,
        "taken_at_offset": metadata.taken_at_offset,
        "camera": [metadata.camera_make, metadata.camera_model],
        "gps": [gps.latitude, gps.longitude, gps.altitude] if gps else None,
    }


def photo_of(told: dict[str, Any], pixels: NDArray[np.uint8], data: bytes) -> OpenedPhoto:
    """The opened photo of a description."""
    (width, height), (make, model) = told["size"], told["camera"]
    metadata = PhotoMetadata(
        taken_at=datetime.fromisoformat(told["taken_at"]) if told["taken_at"] else None,
        taken_at_offset=told["taken_at_offset"],
        camera_make=make,
        camera_model=model,
        gps=GpsPosition(*told["gps"]) if told["gps"] else None,
    )
    return OpenedPhoto(pixels, width, height, told["format"], told["orientation"], metadata, data)


# ------------------------------------------------------------------------------------------------------ the process


def main() -> None:
    number, max_pixels, seconds, memory = sys.argv[1:]
    limits = DecodeLimits(int(max_pixels), float(seconds), int(memory))
    # Whoever is told to end by the user or the system ends its workers itself, when their photos are done.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    _limit_memory(limits.memory_bytes)
    _silence()
    with socket.socket(fileno=int(number)) as channel:
        try:
            serve(channel, limits)
        except (BrokenPipeError, ConnectionResetError):
            return  # the other end is gone


def _limit_memory(allowed: int) -> None:
    """Allow so many bytes on top of what the libraries have mapped already; no core dumps of people's photos."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - not worth a Path
            mapped = int(statm.read().split()[0]) * resource.getpagesize()
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = mapped + allowed
        resource.setrlimit(resource.RLIMIT_AS, (wanted if most < 0 else min(wanted, most), most))


def _silence() -> None:
    """C libraries print what they think of damaged photos; the reply says it better."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


if __name__ == "__main__":
    main()
