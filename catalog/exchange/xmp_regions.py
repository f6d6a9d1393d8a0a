"""Regions: named rectangles in XMP, in the layouts of the Metadata Working Group (MWG), Microsoft and ACDSee.

MWG stores the center and the size of an area, Microsoft the top left corner and the size. Both are fractions of the
stored image. ACDSee's layout is MWG's with other names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from lxml import etree

from catalog.domain.faces import BoundingBox
from catalog.domain.orientation import ImageGeometry, is_sideways, to_upright
from catalog.domain.same_face import DRAWN_REGION, same_face
from catalog.exchange.xmp_rdf import as_number, members, properties, structure, value

MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
AREA = "http://ns.adobe.com/xmp/sType/Area#"
MP = "http://ns.microsoft.com/photo/1.2/"
MPRI = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
MPREG = "http://ns.microsoft.com/photo/1.2/t/Region#"
ACDSEE = "http://ns.acdsee.com/regions/"


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


@dataclass(frozen=True, slots=True)
class Region:
    """A named face on the upright image."""

    name: str
    box: BoundingBox


def read_regions(root: etree._Element, geometry: ImageGeometry) -> list[Region]:
    """Return the named faces of a packet. MWG's regions come first; other layouts add only faces that MWG lacks."""
    regions: list[Region] = []
    items = chain(
        mwg_items(root, geometry), microsoft_items(root, geometry), _listed_items(root, geometry, _ACDSEE_LAYOUT)
    )
    for item, box in items:
        name = value(item, MWG, "Name") or value(item, MPREG, "PersonDisplayName") or value(item, ACDSEE, "Name")
        if name and name.strip() and not any(same_face(box, region.box, DRAWN_REGION) for region in regions):
            regions.append(Region(" ".join(name.split()), box))
    return regions


def mwg_items(root: etree._Element, geometry: ImageGeometry) -> Iterator[tuple[etree._Element, BoundingBox]]:
    return _listed_items(root, geometry, _MWG_LAYOUT)


def _listed_items(
    root: etree._Element, geometry: ImageGeometry, layout: _Layout
) -> Iterator[tuple[etree._Element, BoundingBox]]:
    """Yield the face items of a region list with their boxes on the upright image. Skips items without a valid area."""
    for regions in properties(root, layout.space, "Regions"):
        size = structure(regions, layout.space, "AppliedToDimensions")
        applied_size = None
        if size is not None:
            applied_size = (
                as_number(value(size, layout.size_space, "w")),
                as_number(value(size, layout.size_space, "h")),
            )
        for item in members(regions, layout.space, "RegionList"):
            if (value(item, layout.space, "Type") or "Face") != "Face":
                continue
            if value(item, layout.space, "NameAssignType") == "denied":  # ACDSee's guess, which the user rejected
                continue
            areas = (structure(item, layout.space, name) for name in layout.areas)
            area = next((area for area in areas if area is not None), None)
            box = None if area is None else _area_box(area, layout.area_space, applied_size)
            if box is not None:
                yield item, box if _is_upright(applied_size, geometry) else to_upright(box, geometry.orientation)


def _area_box(
    area: etree._Element, space: str, applied_size: tuple[float | None, float | None] | None
) -> BoundingBox | None:
    x, y, w, h = (as_number(value(area, space, edge)) for edge in "xywh")
    if x is None or y is None or not w or not h or w < 0 or h < 0:
        return None
    if value(area, space, "unit") == "pixel":
        if applied_size is None or not applied_size[0] or not applied_size[1]:
            return None
        x, w, y, h = x / applied_size[0], w / applied_size[0], y / applied_size[1], h / applied_size[1]
    return BoundingBox(x - w / 2, y - h / 2, w, h)


def _is_upright(applied_size: tuple[float | None, float | None] | None, geometry: ImageGeometry) -> bool:
    """Return True if the size that the regions apply to has the aspect ratio of the upright image only."""
    if applied_size is None or not applied_size[0] or not applied_size[1] or not is_sideways(geometry.orientation):
        return False
    ratio, (width, height) = applied_size[0] / applied_size[1], geometry.stored_size
    return abs(ratio - height / width) < 0.01 < abs(ratio - width / height)


def microsoft_items(root: etree._Element, geometry: ImageGeometry) -> Iterator[tuple[etree._Element, BoundingBox]]:
    for info in properties(root, MP, "RegionInfo"):
        for item in members(info, MPRI, "Regions"):
            edges = [as_number(part) for part in (value(item, MPREG, "Rectangle") or "").split(",")]
            if len(edges) == 4 and None not in edges:
                left, top, width, height = (edge or 0.0 for edge in edges)
                if width > 0 and height > 0:
                    yield item, to_upright(BoundingBox(left, top, width, height), geometry.orientation)
