"""XMP packets as trees of XML, read without trust and written without loss.

What others wrote stays as it is: namespaces, comments, order, the packet's wrapper. Documents with a DOCTYPE are
refused, so no entity is ever expanded, and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5
from typing import cast

from lxml import etree

from catalog.domain.errors import PhotoError

X = "adobe:ns:meta/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MAX_BYTES = 16_000_000
"""The largest packet that is read. A sidecar with a long editing history is a few hundred kilobytes."""

_SEGMENT = b"http://ns.adobe.com/xap/1.0/\x00"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\x00"
_EMPTY = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="{X}" x:xmptk="catalog">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def new_packet() -> etree._Element:
    """An empty XMP document; its root."""
    return read_packet(_EMPTY.encode())


def read_packet(data: bytes) -> etree._Element:
    """The root of an XMP document. Raises ``PhotoError``."""
    if len(data) > MAX_BYTES:
        raise PhotoError(f"The XMP is larger than {MAX_BYTES // 1_000_000} MB.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data.rstrip(b"\x00"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PhotoError(f"The XMP is no well-formed XML: {error}.") from error
    if root.getroottree().docinfo.doctype:
        raise PhotoError("The XMP has a DOCTYPE, which no XMP needs and which can do harm.")
    if rdf_of(root) is None:
        raise PhotoError("The XMP holds no rdf:RDF element.")
    return root


def write_packet(root: etree._Element) -> bytes:
    """The whole document in UTF-8, with what stood around its root."""
    written = cast("bytes", etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=False))
    return written if written.endswith(b"\n") else written + b"\n"


def rdf_of(root: etree._Element) -> etree._Element | None:
    name = f"{{{RDF}}}RDF"
    return root if root.tag == name else root.find(f".//{name}")


def descriptions(root: etree._Element) -> list[etree._Element]:
    """The top-level rdf:Description elements: the properties of the photo are theirs."""
    rdf = rdf_of(root)
    return [] if rdf is None else rdf.findall(f"{{{RDF}}}Description")


def embedded_packets(jpeg: bytes) -> list[bytes]:
    """The XMP packets inside a JPEG: the main one and, where it was too large for one segment, what extends it.

    Segments up to the image data are looked at, nothing is decoded.
    """
    main: bytes | None = None
    parts: dict[bytes, dict[int, bytes]] = {}
    for segment in _application_segments(jpeg):
        if segment.startswith(_SEGMENT) and main is None:
            main = segment[len(_SEGMENT) :]
        elif segment.startswith(_EXTENSION):
            # Its digest in 32 hex digits, its whole size and the place of this part in 4 bytes each.
            body = segment[len(_EXTENSION) :]
            parts.setdefault(body[:32], {})[int.from_bytes(body[36:40], "big")] = body[40:]
    if main is None:
        return []
    extensions = [(digest, b"".join(part for _, part in sorted(found.items()))) for digest, found in parts.items()]
    return [main, *(data for digest, data in extensions if digest in main and _digest(data) == digest)]


def _digest(data: bytes) -> bytes:
    return md5(data, usedforsecurity=False).hexdigest().upper().encode()


def _application_segments(jpeg: bytes) -> Iterator[bytes]:
    if jpeg[:2] != b"\xff\xd8":
        return
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker in (0xD9, 0xDA):
            return
        if marker == 0xE1:
            yield jpeg[at + 4 : at + 2 + length]
        at += 2 + length
