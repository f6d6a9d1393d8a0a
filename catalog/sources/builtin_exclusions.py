"""Built-in exclusions: thumbnails, trash, caches and earlier versions that products keep beside photos.

Names are compared as whole path components, without case, because file servers and macOS change the case. Plain words
such as ``thumbnails`` or ``previews`` are not in the list: they may be a person's own folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_FOLDERS_BY_OWNER: dict[str, tuple[str, ...]] = {
    "Synology": ("@eaDir", "#recycle", "#snapshot", "@tmp", "@sharebin", ".SynologyWorkingDirectory"),
    "QNAP": (".@__thumb", "@__thumb", "@Transcode", "@Recycle", "@Recently-Snapshot", ".qsync", ".qsync_sn"),
    "snapshots": (".snapshot", ".snapshots", "~snapshot", ".zfs"),
    "Windows": ("$RECYCLE.BIN", "RECYCLER", "System Volume Information"),
    "trash": (".Trash", ".Trashes", ".recycle", ".globalTrash", ".trashBin", ".dtrash", "files_trashbin"),
    "thumbnails and caches": (".thumbnails", ".cache", ".xvpics", ".comments"),
    "macOS": (
        ".AppleDouble",
        "__MACOSX",
        ".Spotlight-V100",
        ".fseventsd",
        ".DocumentRevisions-V100",
        ".TemporaryItems",
    ),
    "synchronization": (".stversions", ".stfolder", ".sync", ".dropbox.cache", ".tmp.drivedownload", "files_versions"),
    "photo programs": (".photoprism", ".photostructure"),
    "WhatsApp": (".Statuses",),
    "iTunes": ("iPod Photo Cache",),
}
_FOLDERS = {name.lower().encode(): f"{name} ({owner})" for owner, names in _FOLDERS_BY_OWNER.items() for name in names}

_FOLDER_PATTERNS = (
    (re.compile(rb"\.trash-\d+"), ".Trash-* (trash)"),
    (re.compile(rb"\.@.*", re.DOTALL), ".@* (QNAP)"),
    (re.compile(rb".*\.lrdata", re.DOTALL), "*.lrdata (Lightroom)"),
    (re.compile(rb"\.bridgecache.*", re.DOTALL), ".BridgeCache* (Bridge)"),
)

_WITH_PARENT = (
    (re.compile(rb"android"), re.compile(rb"data|obb"), "Android/data and obb (Android)"),
    (re.compile(rb"captureone"), re.compile(rb"cache"), "CaptureOne/Cache (Capture One)"),
    (re.compile(rb"appdata_.*", re.DOTALL), re.compile(rb"preview"), "appdata_*/preview (Nextcloud)"),
)

_FILES = re.compile(
    rb"(?P<macOS>\._.*|\.ds_store|.*\.icloud)|(?P<Windows>thumbs\.db|desktop\.ini)"
    rb"|(?P<Android>\.trashed-\d+-.*|\.pending-\d+-.*)|(?P<Synology>syno(photo|file)_thumb_.*)",
    re.IGNORECASE | re.DOTALL,
)
_FILE_STARTS = frozenset({b"._", b".d", b".t", b".p", b"th", b"de", b"sy"})
"""First two bytes, in lower case, of files that a pattern may match, so that most names need no regular expression."""
_FILE_ENDS = frozenset({b"d", b"D"})
"""Last bytes of the other files that a pattern may match: they end in ``.icloud``."""

_BUNDLE_SUFFIXES = (b".photoslibrary", b".photolibrary", b".migratedphotolibrary", b".aplibrary")
_BUNDLE_PARTS = re.compile(
    rb"resources/(derivatives|caches|proxies|media|modelresources)|private|database|internal|thumbnails"
    rb"|previews|modified|data|data\.noindex|faces|scopes/(.*/)?derivatives",
    re.DOTALL,
)
_BUNDLE_EDITS = b"resources/renders/"
_EDIT = re.compile(rb".*_1_201_a\.[^.]+", re.DOTALL | re.IGNORECASE)
"""The edited image of a photo. Other files beside it are earlier edits and descriptions of edits."""
_BUNDLE_RULE = "previews and data of a photo library (Apple)"
_BUNDLE_SIGNS = frozenset({b"database", b"originals", b"resources"})

_IMMICH_SIGNS = frozenset({b"upload", b"thumbs", b"encoded-video"})
_IMMICH_PARTS = frozenset({b"thumbs", b"encoded-video", b"profile"})

MARKERS = (b".nomedia", b".nomemories", b".ppstorage")
"""Files whose folder is left out, except at the root of a source."""

CACHE_TAG, CACHE_SIGNATURE = b"CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55"


def file_rule(name: bytes) -> str | None:
    """The rule that leaves out a file of this name, or None."""
    if name[:2].lower() not in _FILE_STARTS and name[-1:] not in _FILE_ENDS:
        return None
    match = _FILES.fullmatch(name)
    return None if match is None else f"system file ({match.lastgroup})"


def may_leave_out(names: Collection[bytes]) -> bool:
    """Return False if :func:`file_rule` leaves out none of these files. A fast check: True may be wrong."""
    starts, ends = {name[:2] for name in names}, {name[-1:] for name in names}
    return not (_FILE_STARTS.isdisjoint(map(bytes.lower, starts)) and _FILE_ENDS.isdisjoint(ends))


def folder_rule(name: bytes, parent: bytes) -> str | None:
    """The rule that leaves out a folder of this name inside a folder ``parent``, or None."""
    name, parent = name.lower(), parent.lower()
    if name in _FOLDERS:
        return _FOLDERS[name]
    for pattern, rule in _FOLDER_PATTERNS:
        if pattern.fullmatch(name):
            return rule
    for above, below, rule in _WITH_PARENT:
        if below.fullmatch(name) and above.fullmatch(parent):
            return rule
    return None


def is_bundle(name: bytes, names: Collection[bytes]) -> bool:
    """Return whether a folder is the library of Apple Photos, iPhoto or Aperture. ``names`` are its entries."""
    return name.lower().endswith(_BUNDLE_SUFFIXES) or _BUNDLE_SIGNS.issubset(names)


def bundle_rule(path: bytes) -> str | None:
    """The rule that leaves out a folder inside a bundle. ``path`` is relative to the bundle, without a last slash."""
    return _BUNDLE_RULE if _BUNDLE_PARTS.fullmatch(path.lower()) else None


def bundle_file_rule(folder: bytes, name: bytes) -> str | None:
    """The rule that leaves out a file inside a bundle, in a folder relative to the bundle with a last slash."""
    is_beside_edits = folder.lower().startswith(_BUNDLE_EDITS)
    return _BUNDLE_RULE if is_beside_edits and not _EDIT.fullmatch(name) else None


def immich_parts(names: Collection[bytes]) -> frozenset[bytes]:
    """Folders to leave out of the upload folder of Immich, which is recognized by its entries ``names``."""
    return _IMMICH_PARTS if _IMMICH_SIGNS.issubset(names) else frozenset()
