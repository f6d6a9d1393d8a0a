"""Rendering of the templates. Every page contains its style, script and data.

Jinja escapes names, paths and all other text of users. Data for the script is JSON in an element that browsers do not
run. The templates mark this JSON, the style, the script and the charts as safe. The Content-Security-Policy allows
the script by its digest, and images of the folder.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from catalog.domain.faces import BoundingBox

_ASSETS = files("catalog.reports.site") / "templates"
_STYLE = (_ASSETS / "site.css").read_text("utf-8")
_SCRIPT = (_ASSETS / "site.js").read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()


# `file:` is needed, because 'self' matches nothing on a page that was opened from a disk.
POLICY = (
    f"default-src 'none'; img-src 'self' file:; script-src '{_digest(_SCRIPT)}'; style-src '{_digest(_STYLE)}';"
    " base-uri 'none'; form-action 'none'"
)

_environment = Environment(
    loader=PackageLoader("catalog.reports.site", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, values: Mapping[str, object], *, up: str = "", data: object = None) -> str:
    """Render a page. ``up``: relative path from the page to the folder, ``../`` or empty. ``data``: for the script."""
    return _environment.get_template(template).render(
        up=up,
        policy=POLICY,
        style=_STYLE,
        script=_SCRIPT,
        data=script_json(data) if data is not None else None,
        **values,
    )


def standalone_page(template: str, values: Mapping[str, object]) -> str:
    """Render a page as a single file with its images and without a script."""
    policy = f"default-src 'none'; img-src data:; style-src '{_digest(_STYLE)}'; base-uri 'none'; form-action 'none'"
    return _environment.get_template(template).render(policy=policy, style=_STYLE, **values)


def script_json(data: object) -> str:
    """Return JSON that cannot end its HTML element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


_THOUSAND = 1000

PhotoRow = tuple[str, str, str, str, float, list[list[int]]]
"""A photo for the script: image, album, file, local time, width divided by height, and its faces.

A face is left, top, width, height in thousandths, and the person's index in the list of the page, or -1.
"""


def photo_data(rows: Sequence[PhotoRow], people: Sequence[str], pages: Sequence[str] = ()) -> Mapping[str, object]:
    """Return the data for the script. Each album is listed once and referred to by index.

    ``pages`` are the public ids of ``people``, whose pages the boxes link to.
    """
    albums: dict[str, int] = {}
    photos = [
        [picture, albums.setdefault(album, len(albums)), file, taken_text, round(ratio, 3), faces]
        for picture, album, file, taken_text, ratio, faces in rows
    ]
    return {"albums": list(albums), "photos": photos, "people": list(people), "pages": list(pages)}


def thousandths(box: BoundingBox) -> list[int]:
    """Return the part of a box inside the photo. Called twice for each face of the catalogue, so that it is inlined."""
    left, top, right, bottom = box.left, box.top, box.left + box.width, box.top + box.height
    x = 0 if left <= 0 else _THOUSAND if left >= 1 else int(_THOUSAND * left + 0.5)
    y = 0 if top <= 0 else _THOUSAND if top >= 1 else int(_THOUSAND * top + 0.5)
    across = 0 if right <= 0 else _THOUSAND if right >= 1 else int(_THOUSAND * right + 0.5)
    down = 0 if bottom <= 0 else _THOUSAND if bottom >= 1 else int(_THOUSAND * bottom + 0.5)
    return [x, y, across - x, down - y]


def matrix_cell(photos: int, highest_count: int) -> dict[str, int]:
    """Return a count with its shade, 0 to 4."""
    return {"photos": photos, "heat": 0 if not photos else 1 + min(3, 4 * photos // (highest_count + 1))}
