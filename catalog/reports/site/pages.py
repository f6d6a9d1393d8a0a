"""Fills the templates. Every page carries its style, script and data within itself: nothing is fetched.

Names, paths and everything else that people wrote is escaped by Jinja; data for the script is JSON in an element that
no browser runs; it is marked safe in the templates, as are the style, the script and the charts, which are ours.
The Content-Security-Policy allows the one script by its digest, and pictures of the folder.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

_ASSETS = files("catalog.reports.site") / "templates"
_STYLE = (_ASSETS / "site.css").read_text("utf-8")
_SCRIPT = (_ASSETS / "site.js").read_text("utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()


# `file:` beside 'self', because a page that was opened from a disk has no self.
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
    """One page. ``up`` leads from it to the folder (``../`` or nothing); ``data`` is for the script."""
    return _environment.get_template(template).render(
        up=up,
        policy=POLICY,
        style=_STYLE,
        script=_SCRIPT,
        data=script_json(data) if data is not None else None,
        **values,
    )


def standalone_page(template: str, values: Mapping[str, object]) -> str:
    """A page in one file, pictures included, without a script."""
    policy = f"default-src 'none'; img-src data:; style-src '{_digest(_STYLE)}'; base-uri 'none'; form-action 'none'"
    return _environment.get_template(template).render(policy=policy, style=_STYLE, **values)


def script_json(data: object) -> str:
    """JSON that cannot end the element it stands in."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        written = written.replace(char, f"\\u{ord(char):04x}")
    return written


PhotoRow = tuple[str, str, str, str, float, list[list[int]]]
"""A photo for the script: picture, album, file, wall clock, width by height, and its faces.

A face is left, top, width, height in thousandths, and the person's place in the page's list, or -1.
"""


def photo_data(rows: Sequence[PhotoRow], people: Sequence[str]) -> Mapping[str, object]:
    """Photos for the script, each album named once."""
    albums: dict[str, int] = {}
    told = [
        [picture, albums.setdefault(album, len(albums)), file, taken, round(ratio, 3), faces]
        for picture, album, file, taken, ratio, faces in rows
    ]
    return {"albums": list(albums), "photos": told, "people": list(people)}
