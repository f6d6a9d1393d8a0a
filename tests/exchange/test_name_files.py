"""Files of other programs that name persons: XMP in all formats, Picasa, Takeout, keywords."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from catalog.domain.errors import PhotoError
from catalog.domain.faces import BoundingBox
from catalog.exchange.companion_files import CompanionFinder
from catalog.exchange.embedded_xmp import embedded_packets
from catalog.exchange.picasa import PicasaRegion, read_contacts, read_picasa
from catalog.exchange.placeholder_names import is_placeholder
from catalog.exchange.takeout import read_takeout_names
from catalog.exchange.xmp_keywords import write_keywords
from catalog.exchange.xmp_packet import new_packet, read_packet, write_packet
from catalog.exchange.xmp_people import names_without_position

PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about=""/></rdf:RDF></x:xmpmeta>'
)


def saved(form: str, **options: object) -> BytesIO:
    buffer = BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, form, **options)
    buffer.seek(0)
    return buffer


def png(*, compressed: bool) -> BytesIO:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", PACKET.decode(), zip=compressed)
    return saved("PNG", pnginfo=info)


@pytest.mark.parametrize(
    "file",
    [
        saved("JPEG", xmp=PACKET),
        png(compressed=False),
        png(compressed=True),
        saved("WEBP", xmp=PACKET),
        saved("TIFF", tiffinfo={700: PACKET}),
        saved("AVIF", xmp=PACKET),
    ],
    ids=["jpeg", "png", "compressed png", "webp", "tiff", "avif"],
)
def test_the_packet_of_every_format_is_found(file):
    """HEIC is tested with the shared cases, because Pillow cannot write it."""
    assert [packet.strip() for packet in embedded_packets(file)] == [PACKET]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_file_without_xmp_has_no_packet(form):
    """Formats that are not parsed have none."""
    assert embedded_packets(saved(form)) == []


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_a_damaged_file_ends_with_an_error_or_without_a_packet(form):
    """Every prefix of a file, and every file with a wrong byte, is handled."""
    options = {"TIFF": {"tiffinfo": {700: PACKET}}}.get(form, {"xmp": PACKET} if form != "PNG" else {})
    data = (png(compressed=True) if form == "PNG" else saved(form, **options)).getvalue()
    damaged = [data[:size] for size in range(0, len(data), 7)]
    damaged += [data[:index] + bytes([data[index] ^ 0xFF]) + data[index + 1 :] for index in range(0, len(data), 5)]
    for content in damaged:
        try:
            packets = embedded_packets(BytesIO(content))
        except PhotoError:
            continue
        assert all(isinstance(packet, bytes) for packet in packets)


@pytest.mark.parametrize(
    "name",
    [
        "ffffffffffffffff", "b720285ba3a656a7", "0", "unnamed", "_UNKNOWN_", "Unknown", "Unconfirmed", "Ignored",
        "Unknown - Other", "Person 12", "Face 3", "Unbekannt", "IGNORIERT", "Ignoré", "Sin nombre", "Név nélküliek",
        "不明", "알 수 없음", "n/a", "???", "", "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ],
)  # fmt: skip
def test_a_placeholder_names_no_person(name):
    """Of all programs and languages in the list."""
    assert is_placeholder(name)


@pytest.mark.parametrize("name", ["Ann", "Unknown Mortal Orchestra", "Nonette", "Abe 2", "花子", "Ada <x>", "Facey"])
def test_a_name_is_not_a_placeholder(name):
    """Only whole names are compared."""
    assert not is_placeholder(name)
    assert is_placeholder(name, (name.upper(),))


def test_picasa_regions_are_read_with_contacts(tmp_path):
    """Leading zeros are restored. An empty box is skipped. An unknown id stays an id, which is a placeholder."""
    ini = tmp_path / ".picasa.ini"
    ini.write_text(
        "[Contacts2]\nb720285ba3a656a7=Ann Lee;ann@example.org;\n[IMG_1.JPG]\nstar=yes\n"
        "faces=rect64(8c20842f6d7fed1),b720285ba3a656a7;rect64(80000000400040),b720285ba3a656a7;"
        "rect64(40004000c000c000),1234;rect64(40004000c000c000),5678\n"
    )
    contacts = tmp_path / "contacts.xml"
    contacts.write_text('<contacts><contact id="1234" name="Bob &amp;quot;B&amp;quot;"/><contact id="9"/></contacts>')
    regions = read_picasa(ini, read_contacts(contacts))["img_1.jpg"]
    assert [region.name for region in regions] == ["Ann Lee", 'Bob "B"', "0000000000005678"]
    box = regions[0].box
    edges = [round(edge, 4) for edge in (box.left, box.top, box.right, box.bottom)]
    assert edges == [0.0342, 0.0323, 0.9642, 0.9954]
    assert regions[1] == PicasaRegion(
        'Bob "B"', BoundingBox(0x4000 / 65535, 0x4000 / 65535, 0x8000 / 65535, 0x8000 / 65535)
    )
    assert is_placeholder(regions[2].name)


def test_hostile_contacts_are_refused(tmp_path):
    """Attributes could expand entities."""
    contacts = tmp_path / "contacts.xml"
    contacts.write_text('<!DOCTYPE c [<!ENTITY e "boom">]><contacts><contact id="1" name="&e;"/></contacts>')
    with pytest.raises(PhotoError, match="DOCTYPE"):
        read_contacts(contacts)


@pytest.mark.parametrize(
    ("photo", "companion"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1(1).jpg", "IMG_1.jpg.supplemental-metadata(1).json"),
        ("IMG_1(1).jpg", "IMG_1.jpg(1).json"),
        ("Screenshot_20241227_105539_Edge.jpg", "Screenshot_20241227_105539_Edge.jpg.supplement.json"),
        ("x-bearbeitet.jpg", "x.jpg.json"),
        ("20030616.jpg", "20030616.json"),
        (f"{'n' * 60}.jpg", f"{'n' * 46}.json"),
    ],
)
def test_takeout_json_is_found_by_the_name_of_the_photo(tmp_path, photo, companion):
    """Cut, numbered, edited and old names."""
    (tmp_path / companion).write_text("{}")
    assert CompanionFinder().takeout(tmp_path / photo) == tmp_path / companion


def test_takeout_does_not_give_a_numbered_photo_the_file_of_another(tmp_path):
    """``IMG_1.jpg`` and ``IMG_1(1).jpg`` are different photos."""
    (tmp_path / "IMG_1.jpg.supplemental-metadata.json").write_text("{}")
    (tmp_path / "IMG_1.jpg.supplemental-metadata(1).json").write_text("{}")
    finder = CompanionFinder()
    assert finder.takeout(tmp_path / "IMG_1(1).jpg") == tmp_path / "IMG_1.jpg.supplemental-metadata(1).json"
    assert finder.takeout(tmp_path / "IMG_1.jpg") == tmp_path / "IMG_1.jpg.supplemental-metadata.json"


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (json.dumps({"people": [{"name": "Ann  Lee"}, {"name": "Bob"}, {"name": "Bob"}, {}, 7]}), ["Ann Lee", "Bob"]),
        ('{"people": [{"name": null}]}', []),
        ("{}", []),
        ("[1]", []),
        ('{"people": {"name": "Ann"}}', []),
    ],
)  # fmt: skip
def test_takeout_names_are_read(tmp_path, content, names):
    """Other structures have no names."""
    path = tmp_path / "a.json"
    path.write_text(content)
    assert read_takeout_names(path) == names


@pytest.mark.parametrize("content", ["{", "[" * 100_000])
def test_invalid_takeout_json_is_an_error(tmp_path, content):
    """Deep nesting, too."""
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(PhotoError, match="JSON"):
        read_takeout_names(path)


def test_sidecar_names_are_compared_without_case(tmp_path):
    """An exact match comes first."""
    for name in ("IMG_1.XMP", "IMG_2.jpg.XMP", "img_3.jpg.xmp", "IMG_3.JPG.xmp"):
        (tmp_path / name).touch()
    finder = CompanionFinder()
    assert finder.sidecars(tmp_path / "IMG_1.jpg") == [tmp_path / "IMG_1.XMP"]
    assert finder.sidecars(tmp_path / "IMG_2.jpg") == [tmp_path / "IMG_2.jpg.XMP"]
    assert finder.sidecars(tmp_path / "IMG_3.JPG") == [tmp_path / "IMG_3.JPG.xmp"]


KEYWORDS = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"
 xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:acdsee="http://ns.acdsee.com/iptc/1.0/"
 acdsee:categories="&lt;Categories&gt;&lt;Category Assigned=&quot;0&quot;&gt;People
 &lt;Category Assigned=&quot;1&quot;&gt;Eve&lt;/Category&gt;&lt;/Category&gt;&lt;/Categories&gt;">
 <Iptc4xmpExt:PersonInImage><rdf:Bag><rdf:li>Ann  Lee</rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImage>
 <digiKam:TagsList><rdf:Seq><rdf:li>Personen/Familie</rdf:li><rdf:li>Personen/Familie/Bob</rdf:li>
  <rdf:li>Orte/Rom</rdf:li></rdf:Seq></digiKam:TagsList>
 <lr:hierarchicalSubject><rdf:Bag><rdf:li>People|Cid</rdf:li></rdf:Bag></lr:hierarchicalSubject>
</rdf:Description></rdf:RDF>"""


def test_names_without_a_position_are_read():
    """Person lists, tags below "People" in any language, ACDSee's categories. A group of tags is no person."""
    assert names_without_position(read_packet(KEYWORDS.encode())) == ["Ann Lee", "Bob", "Cid", "Eve"]


def test_keywords_are_added_once():
    """Existing keywords stay. The names are read back."""
    root = read_packet(KEYWORDS.encode())
    assert write_keywords(root, ["Ann Lee", "Dora"])
    assert not write_keywords(root, ["Ann Lee", "Dora"])
    text = write_packet(root).decode()
    assert text.count("Ann  Lee") == 1
    assert {"People/Dora", "Orte/Rom"} <= set(text.replace("<", ">").split(">"))
    assert "Dora" in names_without_position(read_packet(text.encode()))
    empty = new_packet()
    assert write_keywords(empty, ["Ann\x00 Lee"])
    assert names_without_position(read_packet(write_packet(empty))) == ["Ann Lee"]


def test_a_path_of_many_files_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder is listed for its first photo."""
    (tmp_path / "a.xmp").touch()
    finder = CompanionFinder()
    assert finder.sidecars(tmp_path / "a.jpg") == [tmp_path / "a.xmp"]
    (tmp_path / "b.xmp").touch()
    assert finder.sidecars(tmp_path / "b.jpg") == []
