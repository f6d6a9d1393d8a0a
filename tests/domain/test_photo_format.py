"""A file is what its first bytes say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.photo_format import sniff
from tests.images.painting import dng, quarters, written

FIXTURES = Path(__file__).parent.parent / "images" / "fixtures"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_each_format_is_known_by_its_content(kind: str) -> None:
    """Pillow's own files are recognized."""
    assert sniff(written(quarters(), kind)) == kind


def test_a_phones_photo_is_heif() -> None:
    """HEIC is HEIF with a certain codec."""
    assert sniff((FIXTURES / "upright.heic").read_bytes()) == "HEIF"


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "jpeg", "group4"])
def test_a_scanners_tiff_is_no_camera_raw(compression: str | None) -> None:
    """Every usual compression of a TIFF is a TIFF."""
    image = quarters().convert("1") if compression == "group4" else quarters()
    assert sniff(written(image, "TIFF", compression=compression)) == "TIFF"


def test_a_big_tiff_is_a_tiff() -> None:
    """The variant for more than 4 GB has another number in its header."""
    assert sniff(written(quarters(), "TIFF", big_tiff=True)) == "TIFF"


def test_a_tiff_with_a_sensors_values_is_camera_raw() -> None:
    """Also when they lie in a directory below a developed preview."""
    assert sniff(dng(quarters())) == "RAW"
    preview = written(quarters(), "JPEG")
    assert sniff(dng(quarters(), preview=preview, preview_size=(96, 64))) == "RAW"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"FUJIFILMCCD-RAW 0201", "RAW"),
        (b"II*\0\x10\0\0\0CR\x02\0", "RAW"),
        (b"IIU\0\x18\0\0\0", "RAW"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "RAW"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf", "HEIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", None),
        (b"RIFF\0\0\0\0WAVEfmt ", None),
        (b"%PDF-1.7", None),
        (b"<!DOCTYPE html>", None),
        (b"BM\0\0", None),
        (b"", None),
    ],
)
def test_heads_of_files_are_told_apart(head: bytes, kind: str | None) -> None:
    """Raw files of makers, pictures in containers, and what is no photo at all."""
    assert sniff(head) == kind


@given(st.sampled_from([b"", b"II*\0", b"MM\0*", b"\0\0\0\x20ftyp"]), st.binary(max_size=200))
def test_no_bytes_make_it_fail(head: bytes, tail: bytes) -> None:
    """Recognizing never raises and never hangs, also in directories that lead to one another."""
    sniff(head + tail)
