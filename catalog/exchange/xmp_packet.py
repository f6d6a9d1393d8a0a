"""XMP packets as XML trees.

Writing keeps everything that other programs wrote: namespaces, comments, order and the packet wrapper. A document with
a DOCTYPE is refused. No entity is expanded and no external resource is fetched.
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
"""Largest packet that is read. A sidecar with a long editing history has a few hundred kilobytes."""

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
    """Return the root of an empty XMP document."""
    return read_packet(_EMPTY.encode())


def read_packet(data: bytes) -> etree._Element:
    """Return the root of an XMP document. Raises ``PhotoError``."""
    if len(data) > MAX_BYTES:
        raise PhotoError(f"The XMP is larger than {MAX_BYTES // 1_000_000} MB.")
    text = data.rstrip(b"\x00")
    if not text.strip():
        raise PhotoError("The XMP is empty.")
    root = parse_xml(text, "XMP")
    if rdf_of(root) is None:
        raise PhotoError("The XMP has no rdf:RDF element.")
    return root


def parse_xml(data: bytes, kind: str) -> etree._Element:
    """Parse an XML document without expanding entities. Refuses a DOCTYPE. Raises ``PhotoError`` about the ``kind``."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PhotoError(f"The {kind} is not well-formed XML: {error}.") from error
    if root.getroottree().docinfo.doctype:
        raise PhotoError(f"The {kind} has a DOCTYPE, which can be an attack.")
    return root


def write_packet(root: etree._Element) -> bytes:
    """Return the whole document in UTF-8, with the text around its root."""
    document = cast("bytes", etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=False))
    return document if document.endswith(b"\n") else document + b"\n"


def rdf_of(root: etree._Element) -> etree._Element | None:
    name = f"{{{RDF}}}RDF"
    return root if root.tag == name else root.find(f".//{name}")


def descriptions(root: etree._Element) -> list[etree._Element]:
    """Return the top-level rdf:Description elements, which hold the properties of the photo."""
    rdf = rdf_of(root)
    return [] if rdf is None else rdf.findall(f"{{{RDF}}}Description")


def jpeg_packets(jpeg: bytes) -> list[bytes]:
    """Return the main XMP packet of a JPEG and, if it was too large for one segment, its Extended XMP.

    Reads the segments before the image data. Decodes no pixels.
    """
    main: bytes | None = None
    parts_by_digest: dict[bytes, dict[int, bytes]] = {}
    for segment in _app1_segments(jpeg):
        if segment.startswith(_SEGMENT) and main is None:
            main = segment[len(_SEGMENT) :]
        elif segment.startswith(_EXTENSION):
            # 32 hex digits of the digest, 4 bytes of total size, 4 bytes of offset, then the data of this part.
            body = segment[len(_EXTENSION) :]
            parts_by_digest.setdefault(body[:32], {})[int.from_bytes(body[36:40], "big")] = body[40:]
    if main is None:
        return []
    extensions = {
        digest: b"".join(part for _, part in sorted(parts.items())) for digest, parts in parts_by_digest.items()
    }
    return [main, *(data for digest, data in extensions.items() if digest in main and _digest(data) == digest)]


def _digest(data: bytes) -> bytes:
    return md5(data, usedforsecurity=False).hexdigest().upper().encode()


def _app1_segments(jpeg: bytes) -> Iterator[bytes]:
    if jpeg[:2] != b"\xff\xd8":
        return
    offset = 2
    while offset + 4 <= len(jpeg) and jpeg[offset] == 0xFF:
        marker, length = jpeg[offset + 1], int.from_bytes(jpeg[offset + 2 : offset + 4], "big")
        if marker in (0xD9, 0xDA):
            return
        if marker == 0xE1:
            yield jpeg[offset + 4 : offset + 2 + length]
        offset += 2 + length
