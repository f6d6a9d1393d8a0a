"""Broken photos by the hundred: no crash, no hang, no leak, every file accounted for.

``python -m tests.benchmarks.hostile [--files N] [--scan]``

Good photos of every format are damaged at random, from a fixed seed, and joined by decompression bombs. All of them go
through a ``DecoderPool`` from several threads; with ``--scan`` also through ``catalog scan``,
whose closing numbers must add up. Exit code 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from catalog.domain.errors import PhotoError
from catalog.images.decode import DecodeLimits
from catalog.images.decoder_pool import DecoderPool
from tests.images.painting import display_p3, dng, noise, quarters, written

SEED = 20261122
LIMITS = DecodeLimits(max_pixels=250_000_000, seconds=20, memory_bytes=1 << 30)
FIXTURES = Path(__file__).parents[1] / "images" / "fixtures"


# ------------------------------------------------------------------------------------------------------ the corpus


def good_photos() -> dict[str, bytes]:
    """One of each kind, by the ending of its name."""
    picture = Image.blend(noise(320, 240), quarters(320, 240), 0.7)
    exif = Image.Exif()
    exif[271], exif[272], exif[274], exif[306] = "Maker", "Model", 6, "2020:02:02 02:02:02"
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0), 3: "E", 4: (11.0, 34.0, 0.0)}
    notes = {"exif": exif.tobytes(), "icc_profile": display_p3()}
    frames = [noise(320, 240, seed) for seed in (2, 3)]
    preview = written(quarters(960, 640), "JPEG")
    return {
        "jpg": written(picture, "JPEG", quality=85, **notes),
        "progressive.jpg": written(picture, "JPEG", quality=85, progressive=True, **notes),
        "cmyk.jpg": written(picture.convert("CMYK"), "JPEG"),
        "png": written(picture, "PNG", **notes),
        "palette.png": written(picture.quantize(64), "PNG"),
        "webp": written(picture, "WEBP", **notes),
        "lossless.webp": written(picture, "WEBP", lossless=True),
        "animated.gif": written(picture, "GIF", save_all=True, append_images=frames),
        "tif": written(picture, "TIFF"),
        "lzw.tif": written(picture, "TIFF", compression="tiff_lzw"),
        "jpeg.tif": written(picture, "TIFF", compression="jpeg"),
        "deflate.tif": written(picture, "TIFF", compression="tiff_deflate"),
        "avif": written(picture, "AVIF"),
        "heic": (FIXTURES / "turned.heic").read_bytes(),
        "wide.heic": (FIXTURES / "wide.heic").read_bytes(),
        "dng": dng(picture),
        "preview.dng": dng(picture, preview=preview, preview_size=(960, 640)),
    }


def damage(data: bytes, dice: random.Random) -> bytes:
    """The bytes after one to four accidents."""
    broken = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        if not broken:
            break
        offset = dice.randrange(len(broken)) if dice.random() < 0.5 else dice.randrange(min(len(broken), 600))
        length = dice.choice((1, 2, 4, 16, 256, 4096))
        dice.choice(_ACCIDENTS)(broken, offset, length, dice)
    return bytes(broken)


def _flip(broken: bytearray, offset: int, _: int, dice: random.Random) -> None:
    broken[offset] ^= 1 << dice.randrange(8)


def _overwrite(broken: bytearray, offset: int, length: int, dice: random.Random) -> None:
    length = min(length, len(broken) - offset)
    broken[offset : offset + length] = dice.randbytes(length)


def _extreme(broken: bytearray, offset: int, _: int, dice: random.Random) -> None:
    value = dice.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x01"))
    broken[offset : offset + 4] = value[: max(0, min(4, len(broken) - offset))]


def _remove(broken: bytearray, offset: int, length: int, _: random.Random) -> None:
    del broken[offset : offset + length]


def _repeat(broken: bytearray, offset: int, length: int, dice: random.Random) -> None:
    broken[offset:offset] = broken[offset : offset + length] * dice.randint(1, 3)


def _cut(broken: bytearray, offset: int, _: int, __: random.Random) -> None:
    del broken[offset:]


_ACCIDENTS: tuple[Callable[[bytearray, int, int, random.Random], None], ...] = (
    _flip,
    _overwrite,
    _extreme,
    _remove,
    _repeat,
    _cut,
)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that unfold to much."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    def png(width: int, height: int, depth: int, color: int, *extra: bytes) -> bytes:
        bits = width * depth * {0: 1, 2: 3, 6: 4}[color]
        packer = zlib.compressobj(9)
        packed = b"".join(packer.compress(bytes((bits + 7) // 8 + 1)) for _ in range(height)) + packer.flush()
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
        return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")

    yield "30000x30000.png", png(30_000, 30_000, 1, 0)
    yield "just-below-the-limit.png", png(15_800, 15_800, 8, 6)
    yield "endless-text.png", png(8, 8, 8, 2, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(300 << 20))))
    yield "endless-profile.png", png(8, 8, 8, 2, chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(300 << 20))))
    good = good_photos()
    wide = bytearray(good["jpg"])
    frame = wide.index(b"\xff\xc0")
    wide[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    yield "65535x65535.jpg", bytes(wide)
    tall = bytearray(good["progressive.jpg"])
    frame = tall.index(b"\xff\xc2")
    tall[frame + 5 : frame + 9] = struct.pack(">HH", 15_000, 15_000)
    yield "15000x15000-of-nothing.jpg", bytes(tall)
    scans = good["progressive.jpg"]
    first = scans.index(b"\xff\xda")
    yield "ten-thousand-scans.jpg", scans[:-2] + scans[first:-2] * 300 + b"\xff\xd9"
    yield "65535x65535.gif", b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\2\2D\1\0;"
    huge = bytearray(good["lossless.webp"])
    place = huge.index(b"VP8L") + 9
    huge[place : place + 4] = struct.pack("<I", struct.unpack_from("<I", huge, place)[0] | (1 << 28) - 1)
    yield "16384x16384.webp", bytes(huge)
    loop = struct.pack("<4sIH", b"II*\0", 8, 1) + struct.pack("<HHII", 330, 4, 1, 8) + struct.pack("<I", 8)
    yield "directory-in-itself.tif", loop
    yield "text.jpg", b"This is not a photo.\n" * 100
    yield "empty.jpg", b""


def corpus(files: int) -> Iterator[tuple[str, bytes]]:
    dice = random.Random(SEED)
    good = good_photos()
    kinds = sorted(good)
    for number in range(files):
        kind = kinds[number % len(kinds)]
        yield f"{number:05}.{kind}", damage(good[kind], dice)
    yield from bombs()


# ------------------------------------------------------------------------------------------------------ the runs


def verdict(pool: DecoderPool, data: bytes) -> tuple[str, float]:
    """The result of decoding a photo, in one word, and its seconds."""
    began = time.monotonic()
    try:
        photo = pool.open(data, 2048)
        word = "opened" if photo.pixels.ndim == 3 and int(photo.pixels.sum()) >= 0 else "nonsense"
    except PhotoError as error:
        message = str(error)
        word = next((word for part, word in _WORDS.items() if part in message), "refused")
        if not message.endswith("."):
            word = "without a sentence"
    return word, time.monotonic() - began


_WORDS = {
    "took longer": "too slow",
    "crashed": "crashed",
    "killed": "killed",
    "more memory": "memory",
    "ended": "crashed",
}
_FINE = {"opened", "refused", "too slow", "crashed", "killed", "memory"}


def resources() -> dict[str, int]:
    return {
        "open files": len(list(Path("/proc/self/fd").iterdir())),
        "shared memory segments": len(list(Path("/dev/shm").iterdir())),
        "resident MB": int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 20,
    }


def children() -> list[str]:
    """Processes that this one has started and that are still there."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def through_the_pool(photos: list[tuple[str, bytes]]) -> bool:
    pool = DecoderPool(2, LIMITS)
    pool.open(good_photos()["jpg"])
    before = resources()
    began = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        verdicts = list(threads.map(lambda photo: verdict(pool, photo[1]), photos))
    seconds = time.monotonic() - began
    after = resources()
    pool.close()
    words = sorted({word for word, _ in verdicts})
    table: dict[str, Counter[str]] = {}
    for (name, _), (word, _) in zip(photos, verdicts, strict=True):
        table.setdefault(name.rpartition(".")[2], Counter())[word] += 1
    print("".join(f"{head:>10}" for head in ("kind", "files", *words)))
    for kind, counts in sorted(table.items()):
        print("".join(f"{cell:>10}" for cell in (kind, counts.total(), *(counts[word] for word in words))))
    slowest = max(zip(verdicts, photos, strict=True), key=lambda pair: pair[0][1])
    total = Counter(word for word, _ in verdicts)
    print("".join(f"{cell:>10}" for cell in ("all", len(photos), *(total[word] for word in words))))
    print(f"{seconds:.1f} s in all; the slowest, {slowest[1][0]}, took {slowest[0][1]:.1f} s and was {slowest[0][0]}")
    print("before and after:", "; ".join(f"{name} {before[name]} and {after[name]}" for name in before))
    left = len(children())
    print(f"worker processes left: {left}")
    return (
        set(total) <= _FINE
        and left == 0
        and total.total() == len(photos)
        and after["shared memory segments"] == before["shared memory segments"]
        and after["open files"] <= before["open files"] + 1  # a second worker
        and after["resident MB"] <= before["resident MB"] + 64
    )


def through_a_scan(photos: list[tuple[str, bytes]]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "library")
        library.mkdir()
        for name, data in photos:
            (library / name).write_bytes(data)
        (library / "good.jpg").write_bytes(good_photos()["jpg"])
        command = [sys.executable, "-m", "catalog.cli.main", "scan", str(library), "--json"]
        command += ["--database", f"sqlite:///{folder}/catalog.db"]
        began = time.monotonic()
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600)
        *lines, last = run.stdout.splitlines()
        summary = json.loads(last)
    facts = {
        key: summary[key]
        for key in ("discovered", "new", "unchanged", "changed", "moved", "duplicate", "skipped", "failed")
    }
    reasons = [json.loads(line)["reason"] for line in lines if json.loads(line)["outcome"] == "failed"]
    print(f"scan: exit code {run.returncode} after {time.monotonic() - began:.1f} s; {facts}")
    return (
        run.returncode == 3
        and facts["discovered"] == sum(facts.values()) - facts["discovered"] == len(photos) + 1
        and all(reasons)
        and "Traceback" not in run.stderr
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=510, help="damaged photos, besides the bombs (510)")
    parser.add_argument("--scan", action="store_true", help="also scan them with the program")
    arguments = parser.parse_args()
    photos = list(corpus(arguments.files))
    is_ok = through_the_pool(photos)
    if arguments.scan:
        is_ok = through_a_scan(photos) and is_ok
    print("every promise kept" if is_ok else "A PROMISE IS BROKEN")
    return 0 if is_ok else 1


if __name__ == "__main__":
    sys.exit(main())
