"""RDF as XMP uses it: properties, structures and lists, whichever of the ways to write them a program chose.

A structure's fields may be attributes, elements, or stand within a further rdf:Description.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from catalog.exchange.xmp_packet import RDF, descriptions


def properties(root: etree._Element, space: str, name: str) -> Iterator[etree._Element]:
    for description in descriptions(root):
        yield from description.findall(f"{{{space}}}{name}")


def holders(node: etree._Element) -> list[etree._Element]:
    """The elements that hold a structure's fields: itself, and an rdf:Description within it."""
    return [node, *node.findall(f"{{{RDF}}}Description")]


def structure(node: etree._Element, space: str, name: str) -> etree._Element | None:
    for holder in holders(node):
        found = holder.find(f"{{{space}}}{name}")
        if found is not None:
            return found
    return None


def value(node: etree._Element, space: str, name: str) -> str | None:
    for holder in holders(node):
        found = holder.get(f"{{{space}}}{name}")
        if found is None:
            found = holder.findtext(f"{{{space}}}{name}")
        if found is not None:
            return str(found)
    return None


def set_value(node: etree._Element, space: str, name: str, text: str) -> None:
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
    """The members of a list, whether a bag or a sequence."""
    holder = structure(node, space, name)
    if holder is not None:
        for kind in ("Bag", "Seq", "Alt"):
            for bag in holder.findall(f"{{{RDF}}}{kind}"):
                yield from bag.findall(f"{{{RDF}}}li")


def as_number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None
