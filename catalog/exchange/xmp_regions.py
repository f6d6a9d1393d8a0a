"""Regions: named rectangles in XMP, in the layouts of the Metadata Working Group (MWG), Microsoft and ACDSee.

MWG stores the center and the size of an area, Microsoft the top left corner and the size. Both are fractions.
ACDSee's layout is MWG's with other names. :mod:`catalog.exchange.region_frames` decides on which image they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from catalog.domain.faces import BoundingBox
from catalog.exchange.region_frames import AppliedSize
from catalog.exchange.xmp_rdf import as_number, members, properties, structure, value

MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
MP = "http://ns.microsoft.com/photo/1.2/"
MPRI = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
MPREG = "http://ns.microsoft.com/photo/1.2/t/Region#"
ACDSEE = "http://ns.acdsee.com/regions/"


@dataclass(frozen=True, slots=True)
class Region:
    """A named face on the upright image."""

    name: str
    box: BoundingBox


@dataclass(frozen=True, slots=True)
class WrittenRegion:
    """A region as written. ``name`` may be empty. ``element`` is its XML element, for updates."""

    name: str
    box: BoundingBox
    element: etree._Element


@dataclass(frozen=True, slots=True)
class RegionList:
    """The face regions of one layout in a packet. ``applied_size``: width and height that they were drawn for."""

    regions: tuple[WrittenRegion, ...]
    applied_size: AppliedSize | None = None


@dataclass(frozen=True, slots=True)
class _Layout:
    """Namespaces of the region list, the size and the area. ``areas``: the first area element present is used."""

    space: str
    size_space: str
    area_space: str
    areas: tuple[str, ...]


_MWG_LAYOUT = _Layout(MWG, DIMENSIONS, AREA, ("Area",))
# DLYArea was drawn by the user, ALGArea was detected by ACDSee.
_ACDSEE_LAYOUT = _Layout(
    ACDSEE, "http://ns.acdsee.com/sType/Dimensions#", "http://ns.acdsee.com/sType/Area#", ("DLYArea", "ALGArea")
)


def region_lists(root: etree._Element) -> list[RegionList]:
    """Return the region lists of a packet: MWG first, which has priority, then Microsoft, then ACDSee."""
    return [mwg_regions(root), microsoft_regions(root), _listed_regions(root, _ACDSEE_LAYOUT)]


def mwg_regions(root: etree._Element) -> RegionList:
    return _listed_regions(root, _MWG_LAYOUT)


def microsoft_regions(root: etree._Element) -> RegionList:
    regions = []
    for item in _microsoft_items(root):
        edges = [as_number(part) for part in (value(item, MPREG, "Rectangle") or "").split(",")]
        if len(edges) == 4 and None not in edges:
            left, top, width, height = (edge or 0.0 for edge in edges)
            if width > 0 and height > 0:
                name = _tidy(value(item, MPREG, "PersonDisplayName"))
                regions.append(WrittenRegion(name, BoundingBox(left, top, width, height), item))
    return RegionList(tuple(regions))


def microsoft_names_without_rectangle(root: etree._Element) -> list[str]:
    names = (
        _tidy(value(item, MPREG, "PersonDisplayName"))
        for item in _microsoft_items(root)
        if not value(item, MPREG, "Rectangle")
    )
    return [name for name in names if name]


def _microsoft_items(root: etree._Element) -> Iterator[etree._Element]:
    for info in properties(root, MP, "RegionInfo"):
        yield from members(info, MPRI, "Regions")


def _listed_regions(root: etree._Element, layout: _Layout) -> RegionList:
    """Return the face regions of a list. Skips other types and regions without a valid area."""
    regions = []
    applied_size: AppliedSize | None = None
    for container in properties(root, layout.space, "Regions"):
        applied_size = applied_size or _applied_size(container, layout)
        for item in members(container, layout.space, "RegionList"):
            if (value(item, layout.space, "Type") or "Face").strip().casefold() != "face":
                continue
            if value(item, layout.space, "NameAssignType") == "denied":  # ACDSee's guess, which the user rejected
                continue
            areas = (structure(item, layout.space, name) for name in layout.areas)
            area = next((area for area in areas if area is not None), None)
            box = None if area is None else _area_box(area, layout.area_space, applied_size)
            if box is not None:
                regions.append(WrittenRegion(_tidy(value(item, layout.space, "Name")), box, item))
    return RegionList(tuple(regions), applied_size)


def _applied_size(container: etree._Element, layout: _Layout) -> AppliedSize | None:
    size = structure(container, layout.space, "AppliedToDimensions")
    if size is None:
        return None
    width, height = (as_number(value(size, layout.size_space, edge)) for edge in "wh")
    return (width, height) if width and height and width > 0 and height > 0 else None


def _area_box(area: etree._Element, space: str, applied_size: AppliedSize | None) -> BoundingBox | None:
    x, y, w, h, diameter = (as_number(value(area, space, edge)) for edge in ("x", "y", "w", "h", "d"))
    if diameter and not (w or h):  # a circle; its diameter is a fraction of the width
        w = diameter
        h = diameter * applied_size[0] / applied_size[1] if applied_size else diameter
    if x is None or y is None or not w or not h or w < 0 or h < 0:
        return None
    if value(area, space, "unit") == "pixel":
        if applied_size is None:
            return None
        x, w, y, h = x / applied_size[0], w / applied_size[0], y / applied_size[1], h / applied_size[1]
    return BoundingBox(x - w / 2, y - h / 2, w, h)


def _tidy(name: str | None) -> str:
    return " ".join((name or "").split())
