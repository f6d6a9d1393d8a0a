"""Images of the pages: reduced photos and crops of faces. Photo files are never changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from io import BytesIO
from itertools import islice

from PIL import Image

from catalog.domain.errors import PhotoError, SourceError
from catalog.domain.opened_photo import OpenedPhoto, Opener
from catalog.images.crop import cut_out
from catalog.reports.site.output_folder import SiteFolder
from catalog.reports.site.page_data import SiteFace, SitePhoto

SIDE = 480
"""Longer side of a reduced photo, pixels."""
FACE_SIDE = 192
"""Side of a crop, pixels."""
_OPENED_SIDE = 2048
"""Longest side of a decoded photo, pixels: a face of a tenth of the height still fills its crop."""

Read = Callable[[str], bytes]


class PageImages:
    """Draws requested images that do not exist yet. Opens each photo once, ``workers`` at a time."""

    def __init__(self, folder: SiteFolder, read: Read, opener: Opener, workers: int) -> None:
        self._folder = folder
        self._read = read
        self._opener = opener
        self._workers = workers
        self._photos: dict[int, SitePhoto] = {}
        self._faces: dict[int, list[SiteFace]] = defaultdict(list)
        self._whole: set[int] = set()

    def want_photo(self, photo: SitePhoto) -> None:
        if photo.row not in self._whole and not self._folder.keep(photo.picture):
            self._photos[photo.row] = photo
            self._whole.add(photo.row)

    def want_face(self, photo: SitePhoto, face: SiteFace) -> None:
        if not self._folder.keep(face.picture(photo)):
            self._photos[photo.row] = photo
            self._faces[photo.row].append(face)

    def draw(self) -> Iterator[str | None]:
        """Draw all requested images. Yields per photo None, or a sentence that says why it cannot be shown."""
        with ThreadPoolExecutor(self._workers) as threads:
            pending = iter(self._photos.values())
            running: set[Future[str | None]] = set()
            while True:
                free_slots = 2 * self._workers - len(running)
                running |= {threads.submit(self._draw_one, photo) for photo in islice(pending, free_slots)}
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)

    def __len__(self) -> int:
        return len(self._photos)

    def _draw_one(self, photo: SitePhoto) -> str | None:
        try:
            opened = self._opener.open(self._read(photo.uri), _OPENED_SIDE)
        except (PhotoError, SourceError) as error:
            return str(error)
        for face in self._faces.get(photo.row, ()):
            self._folder.write(face.picture(photo), cut_out(opened, face.box, side=FACE_SIDE, quality=82))
        if photo.row in self._whole:
            self._folder.write(photo.picture, _reduced(opened))
        return None


def _reduced(photo: OpenedPhoto) -> bytes:
    image = Image.fromarray(photo.pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=78, optimize=True)
    return buffer.getvalue()


def best_faces(faces: Iterable[SiteFace], photos: dict[int, SitePhoto], limit: int) -> list[SiteFace]:
    """Return the clearest and largest faces, at most one per photo, of photos with a location."""
    best: dict[int, tuple[float, SiteFace]] = {}
    for face in faces:
        photo = photos.get(face.photo)
        if photo is not None:
            pixels = min(1.0, face.box.height * photo.height / FACE_SIDE)
            score = face.clarity * (0.1 + 0.9 * pixels)
            if face.photo not in best or score > best[face.photo][0]:
                best[face.photo] = (score, face)
    ranked = sorted(best.values(), key=lambda pair: (-pair[0], pair[1].photo))
    return [face for _, face in ranked[:limit]]
