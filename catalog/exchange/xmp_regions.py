"""Regions: named rectangles in XMP, as the Metadata Working Group (MWG) and Microsoft lay them down.

MWG gives the centre and the size of an area, Microsoft the top left corner and the size; both in fractions of the
stored image. ACDSee's own layout, which is MWG's under other names, is read too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from lxml import etree

from catalog.domain.faces import BoundingBox
from catalog.domain.same_face import DRAWN_REGION, best_match, same_face
from catalog.exchange.orientation import is_sideways, stored, upright
from catalog.exchange.xmp_packet import RDF, descriptions
from catalog.exchange.xmp_rdf import as_number, holders, members, properties, set_value, structure, value

MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
MP = "http://ns.microsoft.com/photo/1.2/"
MPRI = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
MPREG = "http://ns.microsoft.com/photo/1.2/t/Region#"
ACDSEE = "http://ns.acdsee.com/regions/"
OURS = "urn:face-catalog:regions/1/"
"""Marks the regions that this program wrote, so that it may take them away again, and no others."""

_PREFIXES = {"mwg-rs": MWG, "stDim": DIMENSIONS, "stArea": AREA, "MP": MP, "MPRI": MPRI, "MPReg": MPREG, "fc": OURS}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Layout:
    """The namespaces of a list of regions, of sizes and of areas; of a region's areas the first that is there holds."""

    space: str
    sizes: str
    areas: str
    names: tuple[str, ...]


_MWG = _Layout(MWG, DIMENSIONS, AREA, ("Area",))
# ACDSee tells where it found a face, and where the user drew it.
_ACDSEE = _Layout(
    ACDSEE, "http://ns.acdsee.com/sType/Dimensions#", "http://ns.acdsee.com/sType/Area#", ("DLYArea", "ALGArea")
)


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


# ------------------------------------------------------------------------------------------------------ reading


def read_regions(root: etree._Element, frame: Frame) -> list[Region]:
    """The named faces of a packet: MWG's, and others' where MWG has none of the same face."""
    found: list[Region] = []
    items = chain(_mwg_items(root, frame), _microsoft_items(root, frame), _listed(root, frame, _ACDSEE))
    for item, box in items:
        name = value(item, MWG, "Name") or value(item, MPREG, "PersonDisplayName") or value(item, ACDSEE, "Name")
        if name and name.strip() and not any(same_face(box, other.box, DRAWN_REGION) for other in found):
            found.append(Region(" ".join(name.split()), box))
    return found


def _mwg_items(root: etree._Element, frame: Frame) -> Iterator[tuple[etree._Element, BoundingBox]]:
    return _listed(root, frame, _MWG)


def _listed(root: etree._Element, frame: Frame, layout: _Layout) -> Iterator[tuple[etree._Element, BoundingBox]]:
    """The faces of a list, with their boxes on the upright photo; what cannot be read is left out."""
    for regions in properties(root, layout.space, "Regions"):
        size = structure(regions, layout.space, "AppliedToDimensions")
        applied = None
        if size is not None:
            applied = as_number(value(size, layout.sizes, "w")), as_number(value(size, layout.sizes, "h"))
        for item in members(regions, layout.space, "RegionList"):
            if (value(item, layout.space, "Type") or "Face") != "Face":
                continue
            if value(item, layout.space, "NameAssignType") == "denied":  # ACDSee's guess, which the user rejected
                continue
            areas = (structure(item, layout.space, name) for name in layout.names)
            area = next((area for area in areas if area is not None), None)
            box = None if area is None else _area_box(area, layout.areas, applied)
            if box is not None:
                yield item, box if _is_upright(applied, frame) else upright(box, frame.orientation)


def _area_box(
    area: etree._Element, space: str, applied: tuple[float | None, float | None] | None
) -> BoundingBox | None:
    x, y, w, h = (as_number(value(area, space, edge)) for edge in "xywh")
    if x is None or y is None or not w or not h or w < 0 or h < 0:
        return None
    if value(area, space, "unit") == "pixel":
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
    for info in properties(root, MP, "RegionInfo"):
        for item in members(info, MPRI, "Regions"):
            edges = [as_number(part) for part in (value(item, MPREG, "Rectangle") or "").split(",")]
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
        region = best_match(box, waiting, DRAWN_REGION, key=lambda waiting_region: waiting_region.box)
        if region is not None:
            waiting.remove(region)
            if " ".join((value(item, *name) or "").split()) != region.name:
                set_value(item, *name, region.name)
        elif any(f"{{{OURS}}}added" in holder.attrib for holder in holders(item)):
            _remove(item)
    if waiting:
        where = bag(root, frame)
        for region in waiting:
            new(where, region, stored(region.box, frame.orientation))


def _mwg_list(root: etree._Element, frame: Frame) -> etree._Element:
    """The bag of MWG's regions, made where there is none."""
    regions = next(properties(root, MWG, "Regions"), None)
    if regions is None:
        regions = _resource(_description(root), MWG, "Regions")
    if structure(regions, MWG, "AppliedToDimensions") is None:
        width, height = frame.stored_size
        size = etree.SubElement(holders(regions)[-1], f"{{{MWG}}}AppliedToDimensions")
        for field, text in (("w", str(width)), ("h", str(height)), ("unit", "pixel")):
            size.set(f"{{{DIMENSIONS}}}{field}", text)
    return _bag(regions, MWG, "RegionList")


def _new_mwg(bag: etree._Element, region: Region, box: BoundingBox) -> None:
    inner = _new_item(bag)
    inner.set(f"{{{MWG}}}Name", region.name)
    inner.set(f"{{{MWG}}}Type", "Face")
    area = etree.SubElement(inner, f"{{{MWG}}}Area")
    for field, share in zip("xywh", (*box.center, box.width, box.height), strict=True):
        area.set(f"{{{AREA}}}{field}", f"{share:.6f}")
    area.set(f"{{{AREA}}}unit", "normalized")


def _microsoft_list(root: etree._Element, frame: Frame) -> etree._Element:
    del frame  # Microsoft notes no size
    info = next(properties(root, MP, "RegionInfo"), None)
    if info is None:
        info = _resource(_description(root), MP, "RegionInfo")
    return _bag(info, MPRI, "Regions")


def _new_microsoft(bag: etree._Element, region: Region, box: BoundingBox) -> None:
    inner = _new_item(bag)
    inner.set(f"{{{MPREG}}}PersonDisplayName", region.name)
    edges = (box.left, box.top, box.width, box.height)
    inner.set(f"{{{MPREG}}}Rectangle", ", ".join(f"{edge:.6f}" for edge in edges))


# ------------------------------------------------------------------------------------------------------ RDF


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
    holder = structure(node, space, name)
    if holder is None:
        holder = etree.SubElement(holders(node)[-1], f"{{{space}}}{name}")
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
