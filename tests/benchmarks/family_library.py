"""A made library of a family, and what the catalogue says of it.

    python -m tests.benchmarks.family_library [--members N] [--folder DIR] [--keep]

Needs ../shared/data/lfw. Twelve people, about 200 files: a camera, a phone with edits and copies of messengers, Google
Takeout, Picasa, sidecars, scans, and the junk of six products. ``answers.json`` beside the library holds the truth.
Thresholds: photos discovered exactly; dates right for 98 % of the exposures that carry one anywhere; no exposure
counted twice and none merged with another one; no wrong name.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image

import catalog
from catalog.domain.uri import file_uri
from tests.benchmarks.first_scan_shares import measure_shares, processor_seconds

DATA = Path(__file__).parents[3] / "shared" / "data" / "lfw"
SIDE = 640
MEMBERS = 12
MAKE, MODEL, EXIF_IFD, ORIGINAL, FILE_SOURCE = 271, 272, 34665, 36867, 41728
FACE = (0.30, 0.25, 0.70, 0.78)
"""About where the face of an LFW photo is: left, top, right, bottom."""
BEHIND = {"Ariel_Sharon_0037.jpg": "George_W_Bush"}
"""Members whose faces can be recognized behind the person of a photo."""

_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"{date}>
{regions}</rdf:Description></rdf:RDF></x:xmpmeta>"""
_REGIONS = """<mwg-rs:Regions rdf:parseType="Resource">
<mwg-rs:AppliedToDimensions stDim:w="640" stDim:h="640" stDim:unit="pixel"/>
<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face">
<mwg-rs:Area stArea:x="0.5" stArea:y="0.515" stArea:w="0.4" stArea:h="0.53" stArea:unit="normalized"/>
</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"""


@dataclass
class Exposure:
    """One moment: its files, who is on it, when it was (the beginning of an ISO time; None: nothing says so)."""

    people: list[str]
    taken: str | None
    files: list[str] = field(default_factory=list)
    named: str | None = None
    """The name that a file of another program states."""


class LibraryMaker:
    """Writes the library and collects the answers."""

    def __init__(self, folder: Path, members: int = MEMBERS) -> None:
        self.folder = folder
        self.exposures: list[Exposure] = []
        self.junk = 0
        self.other_files = 0
        people = sorted(
            (path for path in (DATA / "photos").iterdir()), key=lambda path: (-len(list(path.iterdir())), path)
        )
        self.pools = {path.name: sorted(path.iterdir()) for path in people[1 : members + 1]}
        self._behind: list[str] = []
        """Members behind the persons of the photos since the last file was added."""
        self._clock = datetime(2003, 5, 1, 10, tzinfo=UTC)

    @property
    def members(self) -> list[str]:
        return list(self.pools)

    def next_photo(self, member: str) -> Image.Image:
        path = self.pools[member].pop()
        if path.name in BEHIND:
            self._behind.append(BEHIND[path.name])
        return Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)

    def next_time(self) -> datetime:
        self._clock += timedelta(days=17, hours=3, minutes=7, seconds=11)
        return self._clock

    def add(self, exposure: Exposure, image: Image.Image, name: str, **options: object) -> Path:
        """Write one file of an exposure."""
        path = self.write(image, name, **options)
        exposure.files.append(name)
        exposure.people += self._behind
        self._behind.clear()
        if exposure not in self.exposures:
            self.exposures.append(exposure)
        return path

    def write(
        self,
        image: Image.Image,
        name: str,
        *,
        moment: datetime | None = None,
        make: str | None = "Canon",
        quality: int = 90,
        is_scan: bool = False,
    ) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        if make:
            exif[MAKE], exif[MODEL] = make, "One"
        if moment is not None:
            exif.get_ifd(EXIF_IFD)[ORIGINAL] = f"{moment:%Y:%m:%d %H:%M:%S}"
        if is_scan:
            exif.get_ifd(EXIF_IFD)[FILE_SOURCE] = b"\x01"
        written = BytesIO()
        form = {"jpg": "JPEG", "png": "PNG", "avif": "AVIF"}[path.suffix[1:].lower()]
        image.save(written, form, quality=quality, exif=exif)
        path.write_bytes(written.getvalue())
        return path

    def make(self) -> None:
        for index, member in enumerate(self.members):
            self._camera(member)
            self._phone(member, index)
            self._undated_and_named_dates(member)
            self._others(member, index)
        self._montages()
        self._junk()

    def _camera(self, member: str) -> None:
        for number in range(3):
            moment = self.next_time()
            exposure = Exposure([member], f"{moment:%Y-%m-%dT%H:%M:%S}")
            image = self.next_photo(member)
            stem = f"Fotos/{moment:%Y}/DSC_{len(self.exposures):04}"
            self.add(exposure, image, f"{stem}.jpg", moment=moment)
            if number == 0:
                self.add(exposure, image, f"{stem}.png", moment=moment)  # stands for the other format of a camera
            if number == 1:
                shutil.copy(self.folder / f"{stem}.jpg", self._backup(f"{stem}.jpg"))
                exposure.files.append(f"Backup 2010/{Path(stem).name}.jpg")

    def _backup(self, name: str) -> Path:
        target = self.folder / "Backup 2010" / Path(name).name
        target.parent.mkdir(exist_ok=True)
        return target

    def _phone(self, member: str, index: int) -> None:
        moment = self.next_time()
        image, exposure = self.next_photo(member), Exposure([member], f"{moment:%Y-%m-%dT%H:%M:%S}")
        number = f"{index + 1:04}"
        self.add(exposure, image, f"DCIM/100APPLE/IMG_{number}.avif", moment=moment, make="Apple")
        self.add(exposure, image, f"DCIM/100APPLE/IMG_{number}.JPG", moment=moment, make="Apple")
        gray = image.convert("L").convert("RGB")
        self.add(exposure, gray, f"DCIM/100APPLE/IMG_E{number}.JPG", moment=moment, make="Apple")
        small = image.resize((SIDE // 2, SIDE // 2))
        self.add(exposure, small, f"WhatsApp Images/Sent/IMG-{moment:%Y%m%d}-WA{index:04}.jpg", make=None, quality=60)
        (self.folder / f"DCIM/100APPLE/IMG_{number}.MOV").write_bytes(b"a film")
        self.other_files += 1

    def _undated_and_named_dates(self, member: str) -> None:
        moment = self.next_time()
        exposure = Exposure([member], f"{moment:%Y-%m-%dT%H:%M:%S}")
        self.add(exposure, self.next_photo(member), f"Handy/IMG_{moment:%Y%m%d_%H%M%S}.jpg", make=None)
        day = self.next_time()
        folder = f"Alben/{day:%Y-%m-%d} Fest {member}"
        self.add(Exposure([member], f"{day:%Y-%m-%d}"), self.next_photo(member), f"{folder}/bild.jpg", make=None)
        self.add(Exposure([member], None), self.next_photo(member), f"Lose Bilder/{member}.jpg", make=None)

    def _others(self, member: str, index: int) -> None:
        """A third of the family each in Takeout, Picasa and digiKam."""
        name = member.replace("_", " ")
        for number in range(2):
            moment = self.next_time()
            image = self.next_photo(member)
            if index % 3 == 0:
                exposure = Exposure([member], f"{moment:%Y-%m-%dT%H:%M:%S}", named=name)
                file = f"Takeout/Google Photos/Photos from {moment:%Y}/IMG_{index}_{number}x.jpg"
                path = self.add(exposure, image, file, make=None)
                edited = image.point(lambda value: min(255, int(value * 1.1)))
                self.add(exposure, edited, file.replace(".jpg", "-bearbeitet.jpg"), make=None)
                data = {
                    "title": path.name,
                    "photoTakenTime": {"timestamp": str(int(moment.timestamp()))},
                    "creationTime": {"timestamp": "1700000000"},
                    "people": [{"name": name}],
                }
                path.with_name(f"{path.name}.supplemental-metadata.json").write_text(json.dumps(data))
                self.other_files += 1
            elif index % 3 == 1:
                exposure = Exposure([member], f"{moment:%Y-%m-%dT%H:%M:%S}", named=name)
                path = self.add(exposure, image, f"Picasa/p_{index}_{number}.jpg", moment=moment)
                self._picasa(path, index, name)
            else:
                exposure = Exposure([member], f"{moment:%Y-%m-%dT%H:%M:%S}", named=name)
                path = self.add(exposure, image, f"digiKam/d_{index}_{number}.jpg", make=None)
                date = f' exif:DateTimeOriginal="{moment:%Y-%m-%dT%H:%M:%S}"'
                path.with_name(f"{path.name}.xmp").write_text(
                    _XMP.format(date=date, regions=_REGIONS.format(name=name)), encoding="utf-8"
                )
                self.other_files += 1
        if index % 3 == 0:
            scan = Exposure([member], "1987-06-21")
            image = self.next_photo(member)
            now = datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC)
            self.add(scan, image, f"Dias/1987-06-21 Taufe/scan{index}.jpg", moment=now, make="EPSON", is_scan=True)

    def _picasa(self, path: Path, index: int, name: str) -> None:
        ini = path.with_name(".picasa.ini")
        if not ini.exists():
            ini.write_text("[Contacts2]\n", encoding="utf-8")
            self.other_files += 1
        contact = f"{index + 1:016x}"
        code = "".join(f"{round(edge * 65535):04x}" for edge in FACE)
        text = ini.read_text("utf-8")
        if contact not in text:
            text = text.replace("[Contacts2]\n", f"[Contacts2]\n{contact}={name};;\n")
        ini.write_text(f"{text}[{path.name}]\nfaces=rect64({code}),{contact}\n", encoding="utf-8")

    def _montages(self) -> None:
        members = self.members
        for number in range(3 * len(members) // 2):
            group = [members[(number + step) % len(members)] for step in range(2 + number % 3)]
            moment = self.next_time()
            image = Image.new("RGB", (SIDE * len(group), SIDE))
            for place, member in enumerate(group):
                image.paste(self.next_photo(member), (SIDE * place, 0))
            exposure = Exposure(group, f"{moment:%Y-%m-%dT%H:%M:%S}")
            self.add(exposure, image, f"Fotos/{moment:%Y}/Gruppe_{number:02}.jpg", moment=moment)

    def _junk(self) -> None:
        """Thumbnails, trash, caches and earlier versions, each of a real photo."""
        image = Image.open(self.folder / self.exposures[0].files[0]).resize((160, 160))
        for name in (
            "Fotos/2003/@eaDir/DSC_0000.jpg/SYNOPHOTO_THUMB_XL.jpg",
            "Fotos/2003/.@__thumb/s800DSC_0000.jpg",
            "DCIM/.thumbnails/1562253425123.jpg",
            "#recycle/alt.jpg",
            ".Trash-1000/files/alt.jpg",
            "Fotos/.stversions/DSC_0000~20200101-120000.jpg",
            "Lightroom/Katalog Previews.lrdata/0/0A/preview.jpg",
            "Bilder.photoslibrary/resources/derivatives/A/A_1_105_c.jpeg.jpg",
        ):
            self.write(image, name, make=None)
            self.junk += 1


def measure(folder: Path, exposures: list[Exposure], database: Path) -> dict[str, object]:
    """Scan the library, import the names, and compare with the answers."""
    started = processor_seconds()
    with catalog.open(database, create=True) as opened:
        run = opened.scan([folder])
        for _ in run:
            pass
        summary = run.summary
    seconds = processor_seconds() - started
    with catalog.open(database) as opened:
        names = opened.import_xmp()
        photos = opened.sql("SELECT photo_sha256, taken_local, taken_at_source FROM v1_photos").rows
        locations = dict(opened.sql("SELECT uri, photo_sha256 FROM v1_locations").rows)
        stacked = opened.sql("SELECT photo_sha256, counted_sha256 FROM v1_stacks").rows
        appearances = opened.sql(
            "SELECT photo_sha256, name, assigned_by FROM v1_appearances WHERE name IS NOT NULL"
        ).rows
    uri_of = {file: file_uri(bytes(folder / file)) for exposure in exposures for file in exposure.files}
    counted = {str(photo): str(shot) for photo, shot in stacked}
    date_of = {str(photo): (str(taken or ""), source) for photo, taken, source in photos}
    hashes = [
        {str(locations[uri_of[file]]) for file in exposure.files if uri_of[file] in locations} for exposure in exposures
    ]
    shots = [{counted.get(photo, photo) for photo in members} for members in hashes]
    owners: dict[str, set[int]] = defaultdict(set)
    for index, members in enumerate(shots):
        for shot in members:
            owners[shot].add(index)
    dated = [index for index, exposure in enumerate(exposures) if exposure.taken]
    wrong_dates = [
        (exposures[index].files[0], exposures[index].taken, date_of.get(min(shots[index])))
        for index in dated
        if not date_of.get(min(shots[index]), ("",))[0].startswith(exposures[index].taken or "?")
    ]
    undated = [index for index, exposure in enumerate(exposures) if exposure.taken is None]
    invented = [
        (exposures[index].files[0], date_of[shot])
        for index in undated
        for shot in shots[index]
        if date_of[shot][0] and date_of[shot][1] != "exif_changed"
    ]
    truth = {photo: set(exposures[index].people) for index, members in enumerate(hashes) for photo in members}
    wrong = [
        (photo, name, by)
        for photo, name, by in appearances
        if str(name).replace(" ", "_") not in truth.get(str(photo), set())
    ]
    by_photo: dict[str, set[str]] = defaultdict(set)
    for photo, name, _ in appearances:
        by_photo[str(photo)].add(str(name))
    stated = [(index, exposure.named) for index, exposure in enumerate(exposures) if exposure.named]
    unnamed = [exposures[i].files[0] for i, name in stated if not any(name in by_photo[photo] for photo in hashes[i])]
    return {
        "files": sum(len(exposure.files) for exposure in exposures),
        "discovered": summary.discovered,
        "failed": summary.failed,
        "left_out": sum(summary.left_out.values()),
        "other_files": sum(summary.other_files.values()),
        "exposures": len(exposures),
        "counted_twice": [exposures[i].files for i, members in enumerate(shots) if len(members) > 1],
        "merged": [[exposures[i].files[0] for i in indexes] for indexes in owners.values() if len(indexes) > 1],
        "dated_exposures": len(dated),
        "wrong_dates": wrong_dates,
        "invented_dates": invented,
        "names_stated": len(stated),
        "stated_names_missing": unnamed,
        "names_given": len(appearances),
        "wrong_names": wrong,
        "import": str(names),
        "scan_seconds": seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--members", type=int, default=MEMBERS, help="people of the family, 5 or more")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="family"))
    library = folder / "library"
    library.mkdir(parents=True)
    maker = LibraryMaker(library, arguments.members)
    maker.make()
    answers = {"exposures": [asdict(exposure) for exposure in maker.exposures], "junk": maker.junk}
    (folder / "answers.json").write_text(json.dumps(answers, indent=1), encoding="utf-8")
    result = measure(library, maker.exposures, folder / "catalog.sqlite3")
    print(json.dumps(result, indent=1, default=str))
    right = len(maker.exposures) and result["discovered"] == result["files"]
    dated = int(str(result["dated_exposures"]))
    wrong = len(result["wrong_dates"])  # type: ignore[arg-type]
    print(f"photos discovered: {result['discovered']} of {result['files']}, {'exact' if right else 'WRONG'}")
    print(f"dates right: {dated - wrong} of {dated} ({(dated - wrong) / dated:.1%})")
    print(f"exposures counted twice: {len(result['counted_twice'])}, merged: {len(result['merged'])}")  # type: ignore[arg-type]
    wrong_names = list(result["wrong_names"])  # type: ignore[call-overload]
    by_files = sum(by == "human" for _, _, by in wrong_names)
    print(f"wrong names: {len(wrong_names)} of {result['names_given']}, of these {by_files} by a file")
    print(measure_shares(library, folder / "catalog.sqlite3", float(str(result["scan_seconds"]))))
    if not arguments.keep and not arguments.folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
