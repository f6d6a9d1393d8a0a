"""Names of persons as keywords in XMP: ``dc:subject``, ``PersonInImage`` and digiKam's tag tree."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml import etree

from catalog.exchange.xmp_packet import RDF, descriptions, rdf_of
from catalog.exchange.xmp_people import DC, DIGIKAM, IPTC_EXTENSION
from catalog.exchange.xmp_rdf import members_of

_ROOT = "People/"
_PREFIXES = {"dc": DC, "Iptc4xmpExt": IPTC_EXTENSION, "digiKam": DIGIKAM}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_keywords(root: etree._Element, names: Sequence[str]) -> bool:
    """Add the names to the keyword lists of a packet. Returns True if the packet changed.

    Keywords are never removed, because the packet does not say which program wrote them.
    """
    clean = [_NOT_XML.sub("", name) for name in names]
    changed = _add(root, DC, "subject", "Bag", clean)
    changed |= _add(root, IPTC_EXTENSION, "PersonInImage", "Bag", clean)
    # The slash separates levels of digiKam's tags.
    changed |= _add(root, DIGIKAM, "TagsList", "Seq", [_ROOT + name.replace("/", " ") for name in clean])
    return changed


def _add(root: etree._Element, space: str, field: str, kind: str, values: Sequence[str]) -> bool:
    tag = f"{{{space}}}{field}"
    element = next((child for node in descriptions(root) if (child := node.find(tag)) is not None), None)
    existing = (
        {" ".join((member.text or "").split()) for member in members_of(element)} if element is not None else set()
    )
    missing = [value for value in values if value not in existing]
    if not missing:
        return False
    if element is None:
        element = etree.SubElement(_description(root), tag)
    container = next((child for child in element if child.tag in {f"{{{RDF}}}{name}" for name in ("Bag", "Seq")}), None)
    if container is None:
        container = etree.SubElement(element, f"{{{RDF}}}{kind}")
    for value in missing:
        etree.SubElement(container, f"{{{RDF}}}li").text = value
    return True


def _description(root: etree._Element) -> etree._Element:
    """Return a top-level rdf:Description that declares the prefixes, adding it if needed."""
    for description in descriptions(root):
        if all(description.nsmap.get(prefix) == space for prefix, space in _PREFIXES.items()):
            return description
    rdf = rdf_of(root)
    assert rdf is not None
    about = next((description.get(f"{{{RDF}}}about", "") for description in descriptions(root)), "")
    description = etree.SubElement(rdf, f"{{{RDF}}}Description", nsmap=_PREFIXES)
    description.set(f"{{{RDF}}}about", about)
    return description
