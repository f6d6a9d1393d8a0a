"""Regions: named rectangles in XMP, as the Metadata Working Group (MWG) and Microsoft lay them down.

MWG gives the centre and the size of an area, Microsoft the top left corner and the size; both in fractions of the
stored image. Structures may be written as attributes, as elements, or within a further rdf:Description: all are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from lxml import etree

from catalog.exchange.orientation import is_sideways, stored, upright
from catalog.exchange.packet import RDF, descriptions
from catalog.vocabulary import BoundingBox

MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
MP = "http://ns.microsoft.com/photo/1.2/"
MPRI = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
MPREG = "http://ns.microsoft.com/photo/1.2/t/Region#"
OURS = "urn:face-catalog:regions/1/"
"""Marks the regions that this program wrote, so that it may take them away again, and no others."""

_PREFIXES = {"mwg-rs": MWG, "stDim": DIMENSIONS, "stArea": AREA, "MP": MP, "MPRI": MPRI, "MPReg": MPREG, "fc": OURS}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SAME = 0.3
"""Two boxes that overlap by this much (intersection over union) mean the same face: programs draw them differently."""


@dataclass(frozen=True, slots=True)
class Region:
    """A named face on the upright photo."""

    name: str
    box: BoundingBox


@dataclass(frozen=True, slots=True)
class Frame:
    """The photo that regions lie on: its upright size in pixels and the EXIF orientation that made it upright."""

    width: int
    height: int
    orientation: int

    @property
    def stored_size(self) -> tuple[int, int]:
        return (self.height, self.width) if is_sideways(self.orientation) else (self.width, self.height)


def same_face(one: BoundingBox, other: BoundingBox) -> bool:
    """Whether two programs mean the same face: their boxes overlap, or each holds the other's centre."""
    return one.iou(other) >= _SAME or (_holds(one, other.center) and _holds(other, one.center))


def _holds(box: BoundingBox, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


# ------------------------------------------------------------------------------------------------------ reading


def read_regions(root: etree._Element, frame: Frame) -> list[Region]:
    """The named faces of a packet: MWG's, and Microsoft's where MWG has none of the same face."""
    found: list[Region] = []
    for item, box in chain(_mwg_items(root, frame), _microsoft_items(root, frame)):
        name = _field(item, MWG, "Name") or _field(item, MPREG, "PersonDisplayName")
        if name and name.strip() and not any(same_face(box, other.box) for other in found):
            found.append(Region(" ".join(name.split()), box))
    return found


def _mwg_items(root: etree._Element, frame: Frame) -> Iterator[tuple[etree._Element, BoundingBox]]:
    """The faces of MWG's list, with their boxes on the upright photo; what cannot be read is left out."""
    for regions in _properties(root, MWG, "Regions"):
        size = _structure(regions, MWG, "AppliedToDimensions")
        applied = None
        if size is not None:
            applied = _number(_field(size, DIMENSIONS, "w")), _number(_field(size, DIMENSIONS, "h"))
        for item in _items(regions, MWG, "RegionList"):
            if (_field(item, MWG, "Type") or "Face") != "Face":
                continue
            area = _structure(item, MWG, "Area")
            box = None if area is None else _mwg_box(area, applied)
            if box is not None:
                yield item, box if _is_upright(applied, frame) else upright(box, frame.orientation)


def _mwg_box(area: etree._Element, applied: tuple[float | None, float | None] | None) -> BoundingBox | None:
    x, y, w, h = (_number(_field(area, AREA, edge)) for edge in "xywh")
    if x is None or y is None or not w or not h or w < 0 or h < 0:
        return None
    if _field(area, AREA, "unit") == "pixel":
        if applied is None or not applied[0] or not applied[1]:
            return None
        x, w, y, h = x / applied[0], w / applied[0], y / applied[1], h / applied[1]
    return BoundingBox(x - w / 2, y - h / 2, w, h)


def _is_upright(applied: tuple[float | None, float | None] | None, frame: Frame) -> bool:
    """Whether a writer meant the upright image after all: its size is that of a photo turned by a quarter."""
    if applied is None or not applied[0] or not applied[1] or not is_sideways(frame.orientation):
        return False
    ratio, (width, height) = applied[0] / applied[1], frame.stored_size
    return abs(ratio - height / width) < 0.01 < abs(ratio - width / height)


def _microsoft_items(root: etree._Element, frame: Frame) -> Iterator[tuple[etree._Element, BoundingBox]]:
    for info in _properties(root, MP, "RegionInfo"):
        for item in _items(info, MPRI, "Regions"):
            edges = [_number(part) for part in (_field(item, MPREG, "Rectangle") or "").split(",")]
            if len(edges) == 4 and None not in edges:
                left, top, width, height = (edge or 0.0 for edge in edges)
                if width > 0 and height > 0:
                    yield item, upright(BoundingBox(left, top, width, height), frame.orientation)


# ------------------------------------------------------------------------------------------------------ writing


def write_regions(root: etree._Element, regions: Sequence[Region], frame: Frame) -> bool:
    """Bring a packet's regions up to date with the named faces of a photo; returns whether anything changed.

    A face that is there already gets its name and keeps its area; one that is not is added. What this program added
    before and is no longer named goes; regions of others that are no named face here stay.
    """
    if not regions and not _has_ours(root):
        return False
    before = etree.tostring(root)
    _update(root, regions, frame, _mwg_items, (MWG, "Name"), _mwg_list, _new_mwg)
    _update(root, regions, frame, _microsoft_items, (MPREG, "PersonDisplayName"), _microsoft_list, _new_microsoft)
    return bool(etree.tostring(root) != before)


def _has_ours(root: etree._Element) -> bool:
    return any(f"{{{OURS}}}added" in element.attrib for element in root.iter(etree.Element))


def _update(
    root: etree._Element,
    regions: Sequence[Region],
    frame: Frame,
    items: Callable[[etree._Element, Frame], Iterator[tuple[etree._Element, BoundingBox]]],
    name: tuple[str, str],
    bag: Callable[[etree._Element, Frame], etree._Element],
    new: Callable[[etree._Element, Region, BoundingBox], None],
) -> None:
    waiting = [Region(_NOT_XML.sub("", each.name), each.box) for each in regions]
    for item, box in list(items(root, frame)):
        region = max((each for each in waiting if same_face(each.box, box)), key=lambda r: r.box.iou(box), default=None)
        if region is not None:
            waiting.remove(region)
            if " ".join((_field(item, *name) or "").split()) != region.name:
                _set_field(item, *name, region.name)
        elif any(f"{{{OURS}}}added" in holder.attrib for holder in _holders(item)):
            _remove(item)
    if waiting:
        where = bag(root, frame)
        for region in waiting:
            new(where, region, stored(region.box, frame.orientation))


def _mwg_list(root: etree._Element, frame: Frame) -> etree._Element:
    """The bag of MWG's regions, made where there is none."""
    regions = next(_properties(root, MWG, "Regions"), None)
    if regions is None:
        regions = _resource(_description(root), MWG, "Regions")
    if _structure(regions, MWG, "AppliedToDimensions") is None:
        width, height = frame.stored_size
        size = etree.SubElement(_holders(regions)[-1], f"{{{MWG}}}AppliedToDimensions")
        for field, value in (("w", str(width)), ("h", str(height)), ("unit", "pixel")):
            size.set(f"{{{DIMENSIONS}}}{field}", value)
    return _bag(regions, MWG, "RegionList")


def _new_mwg(bag: etree._Element, region: Region, box: BoundingBox) -> None:
    inner = _new_item(bag)
    inner.set(f"{{{MWG}}}Name", region.name)
    inner.set(f"{{{MWG}}}Type", "Face")
    area = etree.SubElement(inner, f"{{{MWG}}}Area")
    for field, value in zip("xywh", (*box.center, box.width, box.height), strict=True):
        area.set(f"{{{AREA}}}{field}", f"{value:.6f}")
    area.set(f"{{{AREA}}}unit", "normalized")


def _microsoft_list(root: etree._Element, frame: Frame) -> etree._Element:
    del frame  # Microsoft notes no size
    info = next(_properties(root, MP, "RegionInfo"), None)
    if info is None:
        info = _resource(_description(root), MP, "RegionInfo")
    return _bag(info, MPRI, "Regions")


def _new_microsoft(bag: etree._Element, region: Region, box: BoundingBox) -> None:
    inner = _new_item(bag)
    inner.set(f"{{{MPREG}}}PersonDisplayName", region.name)
    edges = (box.left, box.top, box.width, box.height)
    inner.set(f"{{{MPREG}}}Rectangle", ", ".join(f"{edge:.6f}" for edge in edges))


# ------------------------------------------------------------------------------------------------------ RDF


def _properties(root: etree._Element, space: str, name: str) -> Iterator[etree._Element]:
    for description in descriptions(root):
        yield from description.findall(f"{{{space}}}{name}")


def _holders(node: etree._Element) -> list[etree._Element]:
    """The elements that hold a structure's fields: itself, and an rdf:Description within it."""
    return [node, *node.findall(f"{{{RDF}}}Description")]


def _structure(node: etree._Element, space: str, name: str) -> etree._Element | None:
    for holder in _holders(node):
        found = holder.find(f"{{{space}}}{name}")
        if found is not None:
            return found
    return None


def _field(node: etree._Element, space: str, name: str) -> str | None:
    for holder in _holders(node):
        value = holder.get(f"{{{space}}}{name}")
        if value is None:
            value = holder.findtext(f"{{{space}}}{name}")
        if value is not None:
            return str(value)
    return None


def _set_field(node: etree._Element, space: str, name: str, value: str) -> None:
    tag = f"{{{space}}}{name}"
    for holder in _holders(node):
        element = holder.find(tag)
        if element is not None:
            element.text = value
            return
        if tag in holder.attrib:
            holder.set(tag, value)
            return
    _holders(node)[-1].set(tag, value)


def _items(node: etree._Element, space: str, name: str) -> Iterator[etree._Element]:
    """The members of a list, whether a bag or a sequence."""
    holder = _structure(node, space, name)
    if holder is not None:
        for kind in ("Bag", "Seq", "Alt"):
            for bag in holder.findall(f"{{{RDF}}}{kind}"):
                yield from bag.findall(f"{{{RDF}}}li")


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < 1e9 else None


def _description(root: etree._Element) -> etree._Element:
    """A new top-level rdf:Description of our own, with our prefixes: those of others are not touched."""
    rdf = descriptions(root)[0].getparent() if descriptions(root) else root.find(f".//{{{RDF}}}RDF")
    assert rdf is not None
    for description in descriptions(root):
        if description.nsmap.get("fc") == OURS:
            return description
    made = etree.SubElement(rdf, f"{{{RDF}}}Description", nsmap=_PREFIXES)
    made.set(f"{{{RDF}}}about", next((d.get(f"{{{RDF}}}about", "") for d in descriptions(root)), ""))
    return made


def _resource(parent: etree._Element, space: str, name: str) -> etree._Element:
    made = etree.SubElement(parent, f"{{{space}}}{name}")
    made.set(f"{{{RDF}}}parseType", "Resource")
    return made


def _bag(node: etree._Element, space: str, name: str) -> etree._Element:
    holder = _structure(node, space, name)
    if holder is None:
        holder = etree.SubElement(_holders(node)[-1], f"{{{space}}}{name}")
    for kind in ("Bag", "Seq"):
        found = holder.find(f"{{{RDF}}}{kind}")
        if found is not None:
            return found
    return etree.SubElement(holder, f"{{{RDF}}}Bag")


def _new_item(bag: etree._Element) -> etree._Element:
    item = etree.SubElement(bag, f"{{{RDF}}}li")
    inner = etree.SubElement(item, f"{{{RDF}}}Description", nsmap={"fc": OURS})
    inner.set(f"{{{OURS}}}added", "true")
    return inner


def _remove(item: etree._Element) -> None:
    parent = item.getparent()
    if parent is not None:
        parent.remove(item)
