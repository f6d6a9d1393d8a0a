"""Which names are those of photos. What a file really holds is found out from its content, later."""

from __future__ import annotations

EXTENSIONS = frozenset(
    (
        # JPEG, PNG, WebP, TIFF, GIF, HEIF and AVIF
        b"jpg jpeg jpe jfif mpo png apng webp tif tiff gif heic heif hif heics heifs avif avifs "
        # camera RAW
        b"3fr arw cr2 cr3 dcr dng erf fff iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
    ).split()
)
"""Endings, in lower case, of the files that a listing tells."""


def is_named_like_a_photo(name: bytes) -> bool:
    """Whether a file's name, without folders, has a supported ending, in any case."""
    stem, _, extension = name.rpartition(b".")
    return bool(stem) and extension.lower() in EXTENSIONS


def is_side_file(name: bytes) -> bool:
    """Whether a name is that of a file which macOS leaves beside each copied one, for what does not fit into it."""
    return name.startswith(b"._")
