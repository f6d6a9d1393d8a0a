"""Access to RDF in XMP: properties, structures and lists.

RDF allows several forms for the same data. The fields of a structure may be attributes, child elements, or children of
a nested rdf:Description. These functions accept all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from catalog.exchange.xmp_packet import RDF, descriptions


def properties(root: etree._Element, space: str, name: str) -> Iterator[etree._Element]:
    for description in descriptions(root):
        yield from description.findall(f"{{{space}}}{name}")


def holders(node: etree._Element) -> list[etree._Element]:
    """Return the elements that may hold the fields of a structure: the node and its rdf:Description children."""
    return [node, *node.findall(f"{{{RDF}}}Description")]


def structure(node: etree._Element, space: str, name: str) -> etree._Element | None:
    for holder in holders(node):
        element = holder.find(f"{{{space}}}{name}")
        if element is not None:
            return element
    return None


def value(node: etree._Element, space: str, name: str) -> str | None:
    for holder in holders(node):
        text = holder.get(f"{{{space}}}{name}")
        if text is None:
            text = holder.findtext(f"{{{space}}}{name}")
        if text is not None:
            return str(text)
    return None


def set_value(node: etree._Element, space: str, name: str, text: str) -> None:
    """Set a field in the form that the packet uses; a new field becomes an attribute."""
    tag = f"{{{space}}}{name}"
    for holder in holders(node):
        element = holder.find(tag)
        if element is not None:
            element.text = text
            return
        if tag in holder.attrib:
            holder.set(tag, text)
            return
    holders(node)[-1].set(tag, text)


def members(node: etree._Element, space: str, name: str) -> Iterator[etree._Element]:
    """Yield the members of a list: a Bag, a Seq or an Alt."""
    holder = structure(node, space, name)
    if holder is not None:
        yield from members_of(holder)


def members_of(holder: etree._Element) -> Iterator[etree._Element]:
    """Yield the members of the list that an element holds."""
    for kind in ("Bag", "Seq", "Alt"):
        for container in holder.findall(f"{{{RDF}}}{kind}"):
            yield from container.findall(f"{{{RDF}}}li")


def as_number(text: str | None) -> float | None:
    """Parse a finite number below 1e9 in magnitude. Returns None for any other text."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None
