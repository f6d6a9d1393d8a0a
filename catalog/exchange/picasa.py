"""Face regions of Picasa: ``.picasa.ini`` in the folder of the photos, with contacts."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.domain.errors import PhotoError
from catalog.domain.faces import BoundingBox
from catalog.exchange.xmp_packet import parse_xml

_MAX_BYTES = 16_000_000
_FACE = re.compile(r"rect64\(([0-9a-f]{1,16})\),([0-9a-f]+)", re.IGNORECASE)
_UNITS = 65535
"""Edges are fractions of the image in 16 bits."""


@dataclass(frozen=True, slots=True)
class PicasaRegion:
    """A face region. ``name`` is the contact's name, or the contact id if no contact has this id."""

    name: str
    box: BoundingBox


def read_picasa(path: Path, contacts: Mapping[str, str]) -> dict[str, list[PicasaRegion]]:
    """Return the face regions of a folder by file name, in lower case.

    ``contacts``: names by contact id from ``contacts.xml``, used for ids that the file itself does not name. Regions
    with an empty area are skipped. Raises ``PhotoError`` and ``OSError``.
    """
    data = path.read_bytes()[: _MAX_BYTES + 1]
    if len(data) > _MAX_BYTES:
        raise PhotoError(f"The file is larger than {_MAX_BYTES // 1_000_000} MB.")
    sections = _sections(_decoded(data))
    names = {**contacts, **_contacts_of(sections.get("contacts2", ()))}
    regions: dict[str, list[PicasaRegion]] = {}
    for section, lines in sections.items():
        for key, value in lines:
            if key == "faces":
                faces = (_region(code, contact, names) for code, contact in _FACE.findall(value))
                regions.setdefault(section, []).extend(face for face in faces if face is not None)
    return regions


def read_contacts(path: Path) -> dict[str, str]:
    """Return the names of Picasa's ``contacts.xml`` by contact id. Raises ``PhotoError`` and ``OSError``."""
    root = parse_xml(path.read_bytes()[:_MAX_BYTES], "file of contacts")
    return {
        _padded(str(contact.get("id"))): " ".join(html.unescape(str(contact.get("name"))).split())
        for contact in root.iter("contact")
        if contact.get("id") and contact.get("name")
    }


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")  # old files are in the Windows code page


def _sections(text: str) -> dict[str, list[tuple[str, str]]]:
    """Return keys and values by section, names of sections and keys in lower case. Other lines are skipped."""
    sections: dict[str, list[tuple[str, str]]] = {}
    lines: list[tuple[str, str]] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1].casefold(), [])
        elif "=" in line:
            key, _, value = line.partition("=")
            lines.append((key.strip().casefold(), value.strip()))
    return sections


def _contacts_of(lines: list[tuple[str, str]] | tuple[()]) -> dict[str, str]:
    """Return the names of ``[Contacts2]``, whose values are ``Name;email;``."""
    return {_padded(contact): name for contact, value in lines if (name := " ".join(value.partition(";")[0].split()))}


def _padded(contact: str) -> str:
    """Picasa drops leading zeros of a contact id."""
    return contact.strip().casefold().rjust(16, "0")


def _region(code: str, contact: str, names: Mapping[str, str]) -> PicasaRegion | None:
    digits = code.rjust(16, "0")
    left, top, right, bottom = (int(digits[start : start + 4], 16) / _UNITS for start in (0, 4, 8, 12))
    if right <= left or bottom <= top:
        return None
    identifier = _padded(contact)
    return PicasaRegion(names.get(identifier, identifier), BoundingBox(left, top, right - left, bottom - top))
