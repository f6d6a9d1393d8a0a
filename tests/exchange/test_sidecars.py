"""XMP sidecars: written for other programs, and read from other programs without losing their data."""

from __future__ import annotations

import json
import shutil
import subprocess
from hashlib import md5
from pathlib import Path

import pytest
from PIL import Image

from catalog.domain.faces import BoundingBox
from catalog.exchange.region_names import NameSources, read_region_names
from catalog.exchange.sidecars import write_sidecars
from catalog.store.database import Database
from catalog.store.named_faces import photos_with_faces
from catalog.store.tables import locations, persons
from tests.red_face_photos import BOX, save_photo

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed here")

# Lightroom's form: fields as attributes, a pet region, and properties of other namespaces.
LIGHTROOM = """<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
    xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
    xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35">
   <!-- edited by hand -->
   <mwg-rs:Regions rdf:parseType="Resource">
    <mwg-rs:AppliedToDimensions stDim:w="{w}" stDim:h="{h}" stDim:unit="pixel"/>
    <mwg-rs:RegionList><rdf:Bag>
     <rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face" mwg-rs:Rotation="0.1">
      <mwg-rs:Area stArea:x="{x}" stArea:y="{y}" stArea:w="{aw}" stArea:h="{ah}" stArea:unit="normalized"/>
     </rdf:Description></rdf:li>
     <rdf:li><rdf:Description mwg-rs:Name="Rex" mwg-rs:Type="Pet">
      <mwg-rs:Area stArea:x="0.1" stArea:y="0.8" stArea:w="0.1" stArea:h="0.1" stArea:unit="normalized"/>
     </rdf:Description></rdf:li>
    </rdf:Bag></mwg-rs:RegionList>
   </mwg-rs:Regions>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

# The form of digiKam (Exiv2): fields as elements.
DIGIKAM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:MP="http://ns.microsoft.com/photo/1.2/"
    xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
    xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">
   <MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
     <rdf:li rdf:parseType="Resource">
       <MPReg:Rectangle>0.5, 0.1, 0.2, 0.4</MPReg:Rectangle>
       <MPReg:PersonDisplayName>花子</MPReg:PersonDisplayName>
     </rdf:li>
   </rdf:Bag></MPRI:Regions></MP:RegionInfo>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def write(database: Database, **options: object) -> list[tuple[str, str | None]]:
    with database.read() as connection:
        return [(result.outcome, result.reason) for result in write_sidecars(photos_with_faces(connection), **options)]


def read(database: Database, **options: object):
    with database.read() as connection:
        return list(read_region_names(photos_with_faces(connection), NameSources(**options)))


def exiftool(path: Path) -> dict:
    completed = subprocess.run(["exiftool", "-json", "-struct", "-G1", path], capture_output=True, check=True)
    return json.loads(completed.stdout)[0]


@needs_exiftool
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exiftool_reads_the_region_in_stored_pixels(database, add_person, add_photo, tmp_path, orientation):
    """In both layouts and for every orientation the pixels of the stored image under the region are red."""
    add_person("Ada")
    path = save_photo(tmp_path / "photo.jpg", orientation)
    add_photo(path, orientation)
    assert write(database) == [("written", None)]
    metadata = exiftool(tmp_path / "photo.jpg.xmp")
    info = metadata["XMP-mwg-rs:RegionInfo"]
    with Image.open(path) as image:
        width, height = image.size
        assert (info["AppliedToDimensions"]["W"], info["AppliedToDimensions"]["H"]) == (width, height)
        (region,) = info["RegionList"]
        assert (region["Name"], region["Type"]) == ("Ada", "Face")
        area = region["Area"]
        left, top = area["X"] - area["W"] / 2, area["Y"] - area["H"] / 2
        mwg = (left, top, left + area["W"], top + area["H"])
        (person,) = metadata["XMP-MP:RegionInfoMP"]["Regions"]
        rectangle = person["Rectangle"]
        numbers = [float(part) for part in (rectangle if isinstance(rectangle, list) else rectangle.split(","))]
        microsoft = (numbers[0], numbers[1], numbers[0] + numbers[2], numbers[1] + numbers[3])
        assert person["PersonDisplayName"] == "Ada"
        for box in (mwg, microsoft):
            edges = [round(edge * size) for edge, size in zip(box, (width, height, width, height), strict=True)]
            inside = image.crop((edges[0] + 3, edges[1] + 3, edges[2] - 3, edges[3] - 3)).getcolors(100_000)
            assert all(r > 200 and g < 60 for _, (r, g, b) in inside), orientation
            assert sorted((edges[2] - edges[0], edges[3] - edges[1])) == [40, 40]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_round_trip_keeps_every_byte(database, add_person, add_photo, tmp_path, orientation):
    """The name is read back for its face, and writing again changes nothing."""
    add_person("Ada <Lovelace> & 花子")
    path = save_photo(tmp_path / "photo.jpg", orientation)
    original = path.read_bytes()
    add_photo(path, orientation)
    write(database)
    sidecar = tmp_path / "photo.jpg.xmp"
    first = sidecar.read_bytes()
    (photo,) = read(database)
    assert [(name.name, name.face.box) for name in photo.names] == [("Ada <Lovelace> & 花子", BOX)]
    assert write(database) == [("unchanged", None)]
    assert sidecar.read_bytes() == first
    assert path.read_bytes() == original


def test_unnamed_and_hidden_persons_are_left_out(database, add_person, add_photo, tmp_path):
    """A photo without a named visible person gets no sidecar."""
    unnamed, hidden, ada = add_person(None), add_person("Eve", hidden=True), add_person("Ada")
    boxes = [BoundingBox(0.05 + 0.3 * n, 0.1, 0.2, 0.4) for n in range(3)]
    add_photo(save_photo(tmp_path / "three.jpg"), people=tuple(zip(boxes, (unnamed, hidden, ada), strict=True)))
    other_photo = save_photo(tmp_path / "other.png")
    add_photo(other_photo, people=((BOX, unnamed), (BOX, None)))
    write(database)
    text = (tmp_path / "three.jpg.xmp").read_text()
    assert text.count("mwg-rs:Name=") == 1
    assert "Ada" in text
    assert "Eve" not in text
    assert not (tmp_path / "other.png.xmp").exists()


def test_data_of_other_programs_stays(database, add_person, add_photo, tmp_path):
    """Edits, comments, a pet region and the packet stay. The existing face region gets the name and keeps its area."""
    ada = add_person("Ada")
    add_photo(save_photo(tmp_path / "photo.jpg"), people=((BOX, ada), (BoundingBox(0.1, 0.2, 0.1, 0.2), None)))
    sidecar = tmp_path / "photo.jpg.xmp"
    original = LIGHTROOM.format(w=200, h=100, name="Augusta", x=0.6, y=0.31, aw=0.21, ah=0.4)
    sidecar.write_text(original)
    assert write(database) == [("written", None)]
    updated = sidecar.read_text()
    for text in ('crs:Exposure2012="+0.35"', "<!-- edited by hand -->", 'mwg-rs:Name="Rex"', 'mwg-rs:Rotation="0.1"'):
        assert text in updated
    assert 'mwg-rs:Name="Ada"' in updated
    assert "Augusta" not in updated
    assert 'stArea:y="0.31"' in updated
    assert updated.count("mwg-rs:Name=") == 2


def test_a_foreign_region_on_an_unnamed_face_stays(database, add_person, add_photo, tmp_path):
    """A name that only the sidecar has is not lost."""
    bob = add_person("Bob")
    add_photo(save_photo(tmp_path / "photo.jpg"), people=((BOX, None), (BoundingBox(0.1, 0.2, 0.1, 0.2), bob)))
    sidecar = tmp_path / "photo.jpg.xmp"
    sidecar.write_text(LIGHTROOM.format(w=200, h=100, name="Augusta", x=0.6, y=0.3, aw=0.2, ah=0.4))
    write(database)
    assert {'mwg-rs:Name="Augusta"', 'mwg-rs:Name="Bob"'} <= set(sidecar.read_text().replace(">", " ").split())


def test_a_removed_name_is_removed_from_the_sidecar(database, add_person, add_photo, tmp_path):
    """Only regions that this program added are removed."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "photo.jpg"))
    sidecar = tmp_path / "photo.jpg.xmp"
    write(database)
    with database.begin() as connection:
        connection.execute(persons.update().values(name=None))
    assert write(database) == [("written", None)]
    assert "Ada" not in sidecar.read_text()


@pytest.mark.parametrize("name", ["photo.jpg.xmp", "photo.xmp"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_lightroom_regions_are_read(database, add_person, add_photo, tmp_path, name, orientation):
    """With both file names of a sidecar. The area of a rotated photo refers to the stored image."""
    add_person(None)
    add_photo(save_photo(tmp_path / "photo.jpg", orientation), orientation)
    # With orientation 6 the upright center (0.6, 0.3) is (0.3, 0.4) on the stored image.
    values = (200, 100, 0.6, 0.3, 0.2, 0.4) if orientation == 1 else (100, 200, 0.3, 0.4, 0.4, 0.2)
    w, h, x, y, aw, ah = values
    (tmp_path / name).write_text(LIGHTROOM.format(w=w, h=h, name="Ada", x=x, y=y, aw=aw, ah=ah))
    (photo,) = read(database)
    assert [name.name for name in photo.names] == ["Ada"]
    assert photo.without_face == ()


def test_regions_of_the_upright_image_are_recognized_by_the_applied_size(database, add_person, add_photo, tmp_path):
    """AppliedToDimensions with the upright aspect ratio means the upright image."""
    add_person(None)
    add_photo(save_photo(tmp_path / "photo.jpg", 6), 6)
    (tmp_path / "photo.xmp").write_text(LIGHTROOM.format(w=200, h=100, name="Ada", x=0.6, y=0.3, aw=0.2, ah=0.4))
    (photo,) = read(database)
    assert [name.name for name in photo.names] == ["Ada"]


def test_digikam_regions_are_read(database, add_person, add_photo, tmp_path):
    """Fields as elements in Microsoft's layout, with a Japanese name."""
    add_person(None)
    add_photo(save_photo(tmp_path / "photo.jpg"))
    (tmp_path / "photo.jpg.xmp").write_text(DIGIKAM)
    (photo,) = read(database)
    assert [name.name for name in photo.names] == ["花子"]


ACDSEE = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description rdf:about="" xmlns:acdsee-rs="http://ns.acdsee.com/regions/"
   xmlns:acdsee-stDim="http://ns.acdsee.com/sType/Dimensions#" xmlns:acdsee-stArea="http://ns.acdsee.com/sType/Area#">
  <acdsee-rs:Regions rdf:parseType="Resource">
   <acdsee-rs:AppliedToDimensions acdsee-stDim:w="200" acdsee-stDim:h="100" acdsee-stDim:unit="pixel"/>
   <acdsee-rs:RegionList><rdf:Bag>
    <rdf:li><rdf:Description acdsee-rs:Type="Face" acdsee-rs:Name="Ada" acdsee-rs:NameAssignType="manual">
     <acdsee-rs:DLYArea acdsee-stArea:x="0.6" acdsee-stArea:y="0.3" acdsee-stArea:w="0.2" acdsee-stArea:h="0.4"/>
     <acdsee-rs:ALGArea acdsee-stArea:x="0.1" acdsee-stArea:y="0.1" acdsee-stArea:w="0.1" acdsee-stArea:h="0.1"/>
    </rdf:Description></rdf:li>
    <rdf:li><rdf:Description acdsee-rs:Type="Face" acdsee-rs:Name="Eve" acdsee-rs:NameAssignType="denied">
     <acdsee-rs:DLYArea acdsee-stArea:x="0.2" acdsee-stArea:y="0.8" acdsee-stArea:w="0.1" acdsee-stArea:h="0.2"/>
    </rdf:Description></rdf:li>
   </rdf:Bag></acdsee-rs:RegionList>
  </acdsee-rs:Regions>
 </rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_acdsee_regions_are_read(database, add_person, add_photo, tmp_path):
    """The area drawn by the user is used. A name that the user denied is not."""
    add_person(None)
    add_photo(save_photo(tmp_path / "photo.jpg"))
    (tmp_path / "photo.xmp").write_text(ACDSEE)
    (photo,) = read(database)
    assert [name.name for name in photo.names] == ["Ada"]
    assert photo.without_face == ()


@needs_exiftool
def test_regions_inside_a_jpeg_are_read(database, add_person, add_photo, tmp_path):
    """Exiftool writes them. ``embedded=False`` reads sidecars only."""
    add_person(None)
    path = save_photo(tmp_path / "photo.jpg")
    region = (
        "{AppliedToDimensions={W=200,H=100,Unit=pixel},RegionList=[{Name=Ada,Type=Face,"
        "Area={X=0.6,Y=0.3,W=0.2,H=0.4,Unit=normalized}},{Name=Bob,Type=Face,"
        "Area={X=0.1,Y=0.9,W=0.1,H=0.1,Unit=normalized}}]}"
    )
    subprocess.run(["exiftool", "-q", "-overwrite_original", f"-RegionInfo={region}", path], check=True)
    add_photo(path)
    (photo,) = read(database)
    assert [name.name for name in photo.names] == ["Ada"]
    assert [name.name for name in photo.without_face] == ["Bob"]
    assert read(database, embedded=False) == []


def test_regions_in_extended_xmp_are_read(database, add_person, add_photo, tmp_path):
    """Extended XMP: parts of a second packet in any order; the main packet names its digest."""
    add_person(None)
    path = save_photo(tmp_path / "photo.jpg")
    extension = LIGHTROOM.format(w=200, h=100, name="Ada", x=0.6, y=0.3, aw=0.2, ah=0.4).encode()
    digest = md5(extension, usedforsecurity=False).hexdigest().upper().encode()
    main = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="'
        + digest
        + b'"/></rdf:RDF></x:xmpmeta>'
    )

    def segment(body: bytes) -> bytes:
        return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body

    def part(start: int, end: int) -> bytes:
        header = len(extension).to_bytes(4, "big") + start.to_bytes(4, "big")
        return segment(b"http://ns.adobe.com/xmp/extension/\0" + digest + header + extension[start:end])

    photo = path.read_bytes()
    segments = segment(b"http://ns.adobe.com/xap/1.0/\0" + main) + part(500, len(extension)) + part(0, 500)
    path.write_bytes(photo[:2] + segments + photo[2:])
    add_photo(path)
    (result,) = read(database)
    assert [name.name for name in result.names] == ["Ada"]
    path.write_bytes(photo[:2] + segments.replace(b"Ada", b"Eve") + photo[2:])
    (result,) = read(database)
    assert result.names == ()  # the digest does not match: not the extension that the main packet names


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&b;'
    "</rdf:RDF></x:xmpmeta>"
)
EXTERNAL_ENTITY = BOMB.replace('<!ENTITY a "aaaaaaaaaa">', '<!ENTITY a SYSTEM "file:///etc/passwd">')


@pytest.mark.parametrize("hostile", [BOMB, EXTERNAL_ENTITY, "<x:xmpmeta", "", "<a/>", "\x00\x01\x02"])
def test_an_invalid_sidecar_is_not_changed(database, add_person, add_photo, tmp_path, hostile):
    """The failure is reported, the file is not overwritten, and no entity is expanded or fetched."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "photo.jpg"))
    sidecar = tmp_path / "photo.jpg.xmp"
    sidecar.write_text(hostile)
    ((outcome, reason),) = write(database)
    assert outcome == "failed"
    assert "photo.jpg" in reason
    assert "root:" not in reason
    assert sidecar.read_text() == hostile
    (photo,) = read(database)
    assert photo.names == ()
    assert len(photo.problems) == 1


def test_a_dry_run_writes_nothing(database, add_person, add_photo, tmp_path):
    """It reports the sidecars that would be written."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "photo.jpg"))
    assert write(database, dry_run=True) == [("written", None)]
    assert [path.name for path in tmp_path.glob("*.xmp")] == []


def test_a_sidecar_is_as_private_as_its_photo(database, add_person, add_photo, tmp_path):
    """The sidecar gets the photo's permissions, because names are as private as the photo."""
    add_person("Ada")
    path = save_photo(tmp_path / "photo.jpg")
    path.chmod(0o640)
    add_photo(path)
    write(database)
    assert (tmp_path / "photo.jpg.xmp").stat().st_mode & 0o777 == 0o640


def put_in_bucket(database: Database, uri: str) -> None:
    with database.begin() as connection:
        connection.execute(locations.update().values(uri=uri))


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("2024/a%20b.jpg", "2024/a b.jpg.xmp"),
        ("../..//x.jpg", "%2E%2E/%2E%2E/%/x.jpg.xmp"),
        ("%25/y.jpg", "%25/y.jpg.xmp"),
    ],
)
def test_sidecars_of_s3_photos_are_in_a_folder_that_mirrors_the_bucket(
    database, add_person, add_photo, tmp_path, key, path
):
    """Written, unchanged, read back. No key leaves the folder, and the folder is private."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "photo.jpg"))
    put_in_bucket(database, f"s3://bucket/{key}")
    into = tmp_path / "sidecars"
    assert write(database, into=into) == [("written", None)]
    (written,) = [file for file in into.rglob("*") if file.is_file()]
    assert written == into / "bucket" / path
    assert written.stat().st_mode & 0o777 == 0o600
    assert into.stat().st_mode & 0o777 == 0o700
    assert write(database, into=into) == [("unchanged", None)]
    ((name,),) = [photo.names for photo in read(database, into=into)]
    assert (name.name, name.uri) == ("Ada", f"s3://bucket/{key}")


def test_s3_photos_without_a_sidecar_folder_are_counted(database, add_person, add_photo, tmp_path):
    """Writing and reading report them as ``elsewhere``."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "photo.jpg"))
    put_in_bucket(database, "s3://bucket/photo.jpg")
    assert write(database) == [("elsewhere", None)]
    assert [photo.elsewhere for photo in read(database)] == [1]


def test_sidecars_of_files_stay_beside_them_with_a_sidecar_folder(database, add_person, add_photo, tmp_path):
    """The folder is for photos that are not files."""
    add_person("Ada")
    add_photo(save_photo(tmp_path / "photo.jpg"))
    assert write(database, into=tmp_path / "sidecars") == [("written", None)]
    assert (tmp_path / "photo.jpg.xmp").exists()
    assert not (tmp_path / "sidecars").exists()
