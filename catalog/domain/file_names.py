"""File names: endings of photos, endings of other files, and the rest.

The content decides whether a file is a photo. Names only save reading: a file with a photo's ending is read, a file
with another known ending is not, and the first bytes of a file with an unknown or no ending are looked at.
"""

from __future__ import annotations

from collections.abc import Collection

PHOTO_ENDINGS = frozenset(
    (
        # JPEG, PNG, WebP, TIFF, GIF, HEIF and AVIF
        b"jpg jpeg jpe jfif mpo png apng webp tif tiff gif heic heif hif heics heifs avif avifs "
        # bitmap, JPEG 2000, JPEG XL, Photoshop, Targa, PCX, Netpbm
        b"bmp dib jp2 j2k jpf jpx j2c jpc jxl psd tga pcx ppm pgm pbm pnm "
        # camera RAW
        b"3fr arw cr2 cr3 dcr dng erf fff iiq k25 kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"
    ).split()
)
"""Endings of photos, in lower case."""

OTHER_ENDINGS = frozenset(
    (
        # videos and sound
        b"mov mp4 m4v avi mkv webm mpg mpeg mts m2ts 3gp 3g2 wmv flv vob lrv mp3 m4a wav aac flac ogg opus aiff amr "
        # side files of photos and photo programs
        b"xmp aae thm json ini db sqlite sqlite3 lrcat lrprev dop cos pp3 xml ctg dat nksc on1 acr spd bup ifo tmp "
        # documents, archives, programs
        b"txt md html htm css js csv tsv log pdf doc docx odt xls xlsx ods ppt pptx odp rtf svg eps ai indd cdr "
        b"zip rar 7z tar gz bz2 xz zst tgz iso dmg exe dll so msi apk app jar py sh bat ps1 c h java url lnk desktop "
        b"cfg conf toml yaml yml plist torrent nfo m3u cue vcf ics eml ttf otf woff woff2"
    ).split()
)
"""Endings of files that are not looked at, in lower case. A photo with such a name is not found."""

_COMMON_TAILS = frozenset((b".jpg", b".JPG", b"jpeg", b"JPEG", b"heic", b"HEIC", b".png", b".PNG"))
"""Last four bytes of the names of most photos, so that a long listing takes fewer endings apart."""


def ending_of(name: bytes) -> bytes:
    """The ending in lower case without the dot; empty for ``photo``, ``.hidden`` and ``name.``."""
    stem, _, ending = name.rpartition(b".")
    return ending.lower() if stem else b""


def is_named_like_a_photo(name: bytes) -> bool:
    """Return whether a file's name, without folders, has the ending of a photo."""
    return ending_of(name) in PHOTO_ENDINGS


def is_named_like_another_file(name: bytes) -> bool:
    """Return whether a file's name, without folders, has the ending of a file that is not looked at."""
    return name[-4:] not in _COMMON_TAILS and ending_of(name) in OTHER_ENDINGS


def have_common_endings(names: Collection[bytes]) -> bool:
    """Return whether every name has one of the most common endings of photos. A fast check of many names."""
    return {name[-4:] for name in names} <= _COMMON_TAILS


def ending_label(name: bytes) -> str:
    """The ending for display and counting: ``.mov``, or ``no ending``. Long and unprintable endings are joined."""
    ending = ending_of(name)
    text = ending.decode("ascii", "replace")
    if not ending:
        return "no ending"
    return f".{text}" if len(text) <= 12 and text.isalnum() and text.isascii() else "other endings"
