"""Update of the regions of an XMP packet, in the layouts of MWG and Microsoft."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lxml import etree

from catalog.domain.faces import BoundingBox
from catalog.domain.orientation import ImageGeometry, to_stored
from catalog.domain.same_face import DRAWN_REGION, best_match
from catalog.exchange.region_frames import place_regions
from catalog.exchange.xmp_packet import RDF, descriptions, rdf_of
from catalog.exchange.xmp_rdf import holders, properties, set_value, structure
from catalog.exchange.xmp_regions import (
    AREA,
    DIMENSIONS,
    MP,
    MPREG,
    MPRI,
    MWG,
    Region,
    RegionList,
    microsoft_regions,
    mwg_regions,
)

CATALOG = "urn:face-catalog:regions/1/"
"""Namespace that marks the regions written by this program. Only these are ever removed."""

_ADDED = f"{{{CATALOG}}}added"
_PREFIXES = {"mwg-rs": MWG, "stDim": DIMENSIONS, "stArea": AREA, "MP": MP, "MPRI": MPRI, "MPReg": MPREG, "fc": CATALOG}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_regions(root: etree._Element, regions: Sequence[Region], geometry: ImageGeometry) -> bool:
    """Make the regions of a packet show the named faces of a photo. Returns True if the packet changed.

    A region of the same face gets the name and keeps its area. A face without a region gets a new one. A region that
    this program added is removed if its face is no longer named. All other regions stay.
    """
    if not regions and not _has_own_regions(root):
        return False
    before = etree.tostring(root)
    _update(root, regions, geometry, mwg_regions, (MWG, "Name"), _mwg_list, _add_mwg_region)
    _update(
        root, regions, geometry, microsoft_regions, (MPREG, "PersonDisplayName"), _microsoft_list, _add_microsoft_region
    )
    return bool(etree.tostring(root) != before)


def _has_own_regions(root: etree._Element) -> bool:
    return any(_ADDED in element.attrib for element in root.iter(etree.Element))


def _update(
    root: etree._Element,
    regions: Sequence[Region],
    geometry: ImageGeometry,
    read_list: Callable[[etree._Element], RegionList],
    name_field: tuple[str, str],
    region_list: Callable[[etree._Element, ImageGeometry], etree._Element],
    add_region: Callable[[etree._Element, Region, BoundingBox], None],
) -> None:
    missing = [Region(_NOT_XML.sub("", region.name), region.box) for region in regions]
    existing = read_list(root)
    boxes = [region.box for region in existing.regions]
    placed = place_regions(boxes, existing.applied_size, geometry, [region.box for region in regions])
    for written, box in zip(existing.regions, placed.boxes, strict=True):
        region = best_match(box, missing, DRAWN_REGION, key=lambda region: region.box)
        item = written.element
        if region is not None:
            missing.remove(region)
            if written.name != region.name:
                set_value(item, *name_field, region.name)
        elif any(_ADDED in holder.attrib for holder in holders(item)):
            item.getparent().remove(item)
    if missing:
        container = region_list(root, geometry)
        for region in missing:
            add_region(container, region, to_stored(_inside_image(region.box), geometry.orientation))


def _inside_image(box: BoundingBox) -> BoundingBox:
    """Return the part of a box inside the image. The catalogue's boxes may extend beyond the border."""
    left, top = min(max(box.left, 0.0), 1.0), min(max(box.top, 0.0), 1.0)
    right, bottom = min(max(box.right, 0.0), 1.0), min(max(box.bottom, 0.0), 1.0)
    return BoundingBox(left, top, right - left, bottom - top) if right > left and bottom > top else box


def _mwg_list(root: etree._Element, geometry: ImageGeometry) -> etree._Element:
    """Return the list of MWG's regions. Adds an empty one if the packet has none."""
    regions = next(properties(root, MWG, "Regions"), None)
    if regions is None:
        regions = _add_resource(_own_description(root), MWG, "Regions")
    if structure(regions, MWG, "AppliedToDimensions") is None:
        width, height = geometry.stored_size
        size = etree.SubElement(holders(regions)[-1], f"{{{MWG}}}AppliedToDimensions")
        for field, text in (("w", str(width)), ("h", str(height)), ("unit", "pixel")):
            size.set(f"{{{DIMENSIONS}}}{field}", text)
    return _list_container(regions, MWG, "RegionList")


def _add_mwg_region(container: etree._Element, region: Region, box: BoundingBox) -> None:
    description = _add_item(container)
    description.set(f"{{{MWG}}}Name", region.name)
    description.set(f"{{{MWG}}}Type", "Face")
    area = etree.SubElement(description, f"{{{MWG}}}Area")
    for field, share in zip("xywh", (*box.center, box.width, box.height), strict=True):
        area.set(f"{{{AREA}}}{field}", f"{share:.6f}")
    area.set(f"{{{AREA}}}unit", "normalized")


def _microsoft_list(root: etree._Element, geometry: ImageGeometry) -> etree._Element:
    del geometry  # Microsoft's layout has no size
    info = next(properties(root, MP, "RegionInfo"), None)
    if info is None:
        info = _add_resource(_own_description(root), MP, "RegionInfo")
    return _list_container(info, MPRI, "Regions")


def _add_microsoft_region(container: etree._Element, region: Region, box: BoundingBox) -> None:
    description = _add_item(container)
    description.set(f"{{{MPREG}}}PersonDisplayName", region.name)
    edges = (box.left, box.top, box.width, box.height)
    description.set(f"{{{MPREG}}}Rectangle", ", ".join(f"{edge:.6f}" for edge in edges))


def _own_description(root: etree._Element) -> etree._Element:
    """Return this program's top-level rdf:Description, adding it if needed.

    A separate element declares the prefixes without changing the elements of other programs.
    """
    rdf = rdf_of(root)
    assert rdf is not None
    for description in descriptions(root):
        if description.nsmap.get("fc") == CATALOG:
            return description
    about = next((description.get(f"{{{RDF}}}about", "") for description in descriptions(root)), "")
    description = etree.SubElement(rdf, f"{{{RDF}}}Description", nsmap=_PREFIXES)
    description.set(f"{{{RDF}}}about", about)
    return description


def _add_resource(parent: etree._Element, space: str, name: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{space}}}{name}")
    element.set(f"{{{RDF}}}parseType", "Resource")
    return element


def _list_container(node: etree._Element, space: str, name: str) -> etree._Element:
    holder = structure(node, space, name)
    if holder is None:
        holder = etree.SubElement(holders(node)[-1], f"{{{space}}}{name}")
    for kind in ("Bag", "Seq"):
        container = holder.find(f"{{{RDF}}}{kind}")
        if container is not None:
            return container
    return etree.SubElement(holder, f"{{{RDF}}}Bag")


def _add_item(container: etree._Element) -> etree._Element:
    item = etree.SubElement(container, f"{{{RDF}}}li")
    description = etree.SubElement(item, f"{{{RDF}}}Description", nsmap={"fc": CATALOG})
    description.set(_ADDED, "true")
    return description
