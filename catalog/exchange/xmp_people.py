"""Names of persons on a photo without a position: person lists and keywords in XMP."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from catalog.domain.errors import PhotoError
from catalog.exchange.xmp_packet import RDF, descriptions, read_packet
from catalog.exchange.xmp_rdf import members_of
from catalog.exchange.xmp_regions import microsoft_names_without_rectangle

IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
DC = "http://purl.org/dc/elements/1.1/"
DIGIKAM = "http://www.digikam.org/ns/1.0/"
LIGHTROOM = "http://ns.adobe.com/lightroom/1.0/"
_MICROSOFT_PHOTO = "http://ns.microsoft.com/photo/1.0/"
_MEDIAPRO = "http://ns.iview-multimedia.com/mediapro/1.0/"
_EXPRESSION = "http://ns.microsoft.com/expressionmedia/1.0/"
_ACDSEE = "http://ns.acdsee.com/iptc/1.0/"

_PEOPLE_LISTS = ((IPTC_EXTENSION, "PersonInImage"), (_MEDIAPRO, "People"), (_EXPRESSION, "People"))
_TAG_TREES = (
    (DIGIKAM, "TagsList", "/"),
    (LIGHTROOM, "hierarchicalSubject", "|"),
    (_MICROSOFT_PHOTO, "LastKeywordXMP", "/"),
    (_MEDIAPRO, "CatalogSets", "|"),
)
_PEOPLE_ROOTS = {
    *("people", "personen", "personnes", "personas", "persone", "pessoas", "osoby", "люди", "人物", "emberek"),
    *("henkilöt", "personer", "mensen"),
}
"""Names of the top tag for persons in digiKam's translations, in lower case."""


def names_without_position(root: etree._Element) -> list[str]:
    """Return the names of persons that a packet states for the photo as a whole, each once, in the packet's order.

    The last part of a tag path below "People" is a name. A path that another path continues is a group of tags.
    """
    names = [name for space, field in _PEOPLE_LISTS for name in _texts(root, space, field)]
    names += microsoft_names_without_rectangle(root)
    for space, field, separator in _TAG_TREES:
        names += _names_of_paths(_texts(root, space, field), separator)
    names += _names_of_paths(_acdsee_paths(root), "/")
    return list(dict.fromkeys(tidy for name in names if (tidy := " ".join(name.split()))))


def _texts(root: etree._Element, space: str, field: str) -> list[str]:
    return [
        member.text or ""
        for description in descriptions(root)
        for element in description.findall(f"{{{space}}}{field}")
        for member in members_of(element)
    ]


def _names_of_paths(paths: Iterable[str], separator: str) -> list[str]:
    split = [tuple(part.strip() for part in path.split(separator)) for path in paths]
    groups = {path[:length] for path in split for length in range(1, len(path))}
    return [path[-1] for path in split if len(path) > 1 and path[0].casefold() in _PEOPLE_ROOTS and path not in groups]


def _acdsee_paths(root: etree._Element) -> list[str]:
    """Return the assigned categories of ACDSee, an XML text of nested ``Category`` elements, as paths."""
    field = f"{{{_ACDSEE}}}categories"
    texts = [
        text
        for description in descriptions(root)
        for text in (description.get(field), description.findtext(field))
        if text and "<Categories" in text
    ]
    paths: list[str] = []
    for text in texts:
        try:
            tree = read_packet(f'<rdf:RDF xmlns:rdf="{RDF}">{text}</rdf:RDF>'.encode())
        except PhotoError:
            continue  # a broken list of categories must not cost the regions of the packet
        for category in tree.iter("Category"):
            if category.get("Assigned") == "1":
                parents = list(category.iterancestors("Category"))
                paths.append("/".join((node.text or "").strip() for node in (*reversed(parents), category)))
    return paths
