"""Dates of real libraries: files of cameras, scanners, phones and programs, scanned as a user would."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import catalog

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not on this machine")

MAKE, MODEL, SOFTWARE, CHANGED, ORIGINAL, DIGITIZED, EXPOSURE = 271, 272, 305, 306, 36867, 36868, 33434
OFFSET_ORIGINAL = 36881
GPS = 34853
Dates = dict[str, tuple[object, ...]]


class Library:
    """A folder of small photos, each of another content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0

    def add(
        self, name: str, tags: dict[int, Any] | None = None, gps: dict[int, Any] | None = None, **save: Any
    ) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        for tag, value in (tags or {}).items():
            if tag in (MAKE, MODEL, SOFTWARE, CHANGED):
                exif[tag] = value
            else:
                exif.get_ifd(34665)[tag] = value
        for tag, value in (gps or {}).items():
            exif.get_ifd(GPS)[tag] = value
        self._count += 1
        image = Image.new("RGB", (64, 48), (200, 120, 90))
        image.save(path, exif=exif.tobytes(), comment=str(self._count))
        return path

    def sidecar(self, name: str, **times: str) -> None:
        names = {"original": "exif:DateTimeOriginal", "created": "photoshop:DateCreated", "digitized": "xmp:CreateDate"}
        attributes = " ".join(f'{names[key]}="{value}"' for key, value in times.items())
        text = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description {attributes}/></rdf:RDF></x:xmpmeta>'
        (self.folder / name).write_text(text)

    def takeout(self, name: str, seconds: int) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "title": "x",
            "photoTakenTime": {"timestamp": str(seconds)},
            "creationTime": {"timestamp": "1700000000"},
        }
        path.write_text(json.dumps(content))

    def scan(self, zone: str = "+02:00") -> Dates:
        """Date, offset and source of each photo by its path below the folder."""
        settings = {"scan.time_zone": zone}
        with catalog.open(self.folder.parent / "catalog.sqlite3", create=True, settings=settings) as opened:
            for outcome in opened.scan([self.folder]):
                assert outcome.kind != "failed", outcome.reason
            rows = opened.sql("SELECT path, taken_date, taken_at_offset, taken_at_source FROM v1_photos").rows
        return {str(Path(str(path)).relative_to(self.folder)): tuple(rest) for path, *rest in rows}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "library").mkdir()
    return Library(tmp_path / "library")


def video(seconds_since_1904: int, written: str | None = None) -> bytes:
    """A QuickTime file with a movie header and, if given, Apple's creation date."""

    def box(kind: bytes, payload: bytes) -> bytes:
        return struct.pack(">I4s", len(payload) + 8, kind) + payload

    movie = box(b"mvhd", struct.pack(">IIIII", 0, seconds_since_1904, 0, 600, 600))
    if written is not None:
        key = box(b"mdta", b"com.apple.quicktime.creationdate")
        data = box(b"data", struct.pack(">II", 1, 0) + written.encode())
        item = struct.pack(">II", len(data) + 8, 1) + data
        keys = box(b"keys", struct.pack(">II", 0, 1) + key)
        movie += box(b"meta", box(b"hdlr", b"\0" * 24) + keys + box(b"ilst", item))
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"mdat", b"\0" * 100) + box(b"moov", movie)


def test_traps_of_exif_and_names(library: Library) -> None:
    """A value that says nothing makes place for the next source."""
    library.add("IMG_20190704_143025.jpg", {ORIGINAL: "0000:00:00 00:00:00"})
    library.add("20191332.jpg")
    library.add("hour24.jpg", {ORIGINAL: "2015:06:02 24:15:00"})
    library.add("future.jpg", {ORIGINAL: "2999:01:01 10:00:00"})
    library.add("epoch.jpg", {ORIGINAL: "1970:01:01 00:00:00"})
    library.add("month.jpg", {ORIGINAL: "1987:06:00 00:00:00"})
    library.add("2004-07/reset.jpg", {MAKE: "Canon", ORIGINAL: "2000:01:01 00:03:11", EXPOSURE: 0.01})
    library.add("2000/party.jpg", {MAKE: "Canon", ORIGINAL: "2000:01:01 00:03:11", EXPOSURE: 0.01})
    library.add("reset.jpg", {MAKE: "Canon", ORIGINAL: "2000:01:01 00:04:11", EXPOSURE: 0.01})
    library.add("2004/camera.jpg", {MAKE: "Canon", ORIGINAL: "2019:01:02 10:00:00", EXPOSURE: 0.01})
    assert library.scan() == {
        "IMG_20190704_143025.jpg": ("2019-07-04T14:30:25", None, "file_name"),
        "20191332.jpg": (None, None, None),
        "hour24.jpg": ("2015-06-02T00:15:00", None, "exif"),
        "future.jpg": (None, None, None),
        "epoch.jpg": (None, None, None),
        "month.jpg": ("1987-06", None, "exif"),
        "2004-07/reset.jpg": ("2004-07", None, "folder_name"),
        "2000/party.jpg": ("2000-01-01T00:03:11", None, "exif"),
        "reset.jpg": ("2000-01-01T00:04:11", None, "clock_not_set"),
        "2004/camera.jpg": ("2019-01-02T10:00:00", None, "exif"),
    }


def test_a_scanner_does_not_say_when_the_photo_was_taken(library: Library) -> None:
    """A folder at least a year older does, and so does a date that a user wrote."""
    scanned = {MAKE: "EPSON", MODEL: "Perfection V600", ORIGINAL: "2019:03:02 10:00:00"}
    library.add("1987-06-21 Taufe/a.jpg", scanned)
    library.add("a.jpg", scanned)
    library.add("2019/a.jpg", scanned)
    library.add("b.jpg", {**scanned, ORIGINAL: "1975:08:01 00:00:00", DIGITIZED: "2019:03:02 10:00:00"})
    library.add("app.jpg", {SOFTWARE: "PhotoScan by Google Photos", ORIGINAL: "2020:01:05 10:00:00"})
    library.add("camera.jpg", {MAKE: "SEIKO EPSON CORP.", ORIGINAL: "2005:05:06 10:00:00", EXPOSURE: 0.01})
    assert library.scan() == {
        "1987-06-21 Taufe/a.jpg": ("1987-06-21", None, "folder_name"),
        "a.jpg": (None, None, None),
        "2019/a.jpg": (None, None, None),
        "b.jpg": ("1975-08-01T00:00:00", None, "exif"),
        "app.jpg": (None, None, None),
        "camera.jpg": ("2005-05-06T10:00:00", None, "exif"),
    }


def test_offsets_and_gps(library: Library) -> None:
    """A GPS time gives the offset, or the day if there is nothing else; an error of 1,024 weeks gives nothing."""

    def fix(day: str, *clock: float) -> dict[int, Any]:
        return {29: day, 7: clock}

    library.add("india.jpg", {ORIGINAL: "2019:04:07 12:00:00"}, fix("2019:04:07", 6.0, 30.0, 5.0))
    library.add("rollover.jpg", {ORIGINAL: "2019:04:07 12:00:00"}, fix("1999:08:22", 12.0, 0.0, 0.0))
    library.add(
        "written.jpg", {ORIGINAL: "2019:04:07 12:00:00", OFFSET_ORIGINAL: "-03:00"}, fix("2019:04:07", 6.0, 30.0, 5.0)
    )
    library.add("gps.jpg", None, fix("2019:04:07", 23.0, 30.0, 0.0))
    library.add("old.jpg", None, fix("1980:01:06", 0.0, 0.0, 0.0))
    library.add("PXL_20231026_233000123.jpg")
    assert library.scan() == {
        "india.jpg": ("2019-04-07T12:00:00", 330, "exif"),
        "rollover.jpg": ("2019-04-07T12:00:00", None, "exif"),
        "written.jpg": ("2019-04-07T12:00:00", -180, "exif"),
        "gps.jpg": ("2019-04-08", None, "gps"),
        "old.jpg": (None, None, None),
        "PXL_20231026_233000123.jpg": ("2023-10-27T01:30:00", 120, "file_name"),
    }


def test_sidecars_come_before_exif(library: Library) -> None:
    """Sidecars of any case; a time of digitization only if there is no other date."""
    exif = {ORIGINAL: "2010:05:06 10:00:00"}
    library.add("a.jpg", exif)
    library.sidecar("a.jpg.xmp", original="1975-06-01")
    library.add("b.jpg", exif)
    library.sidecar("b.XMP", created="1987-06")
    library.add("c.jpg", exif)
    library.sidecar("c.JPG.XMP", digitized="2011-01-01")
    library.add("d.jpg", {**exif, OFFSET_ORIGINAL: "+09:00"})
    library.sidecar("d.xmp", original="2010-05-06T10:00:00")
    library.add("e.jpg", exif)
    library.sidecar("e.xmp", original="2010", digitized="2011-01-01")
    library.add("f.jpg", exif)
    (library.folder / "f.xmp").write_bytes(b"\xff\xfe<exif:DateTimeOriginal>no date</exif:DateTimeOriginal>")
    assert library.scan() == {
        "a.jpg": ("1975-06-01", None, "sidecar"),
        "b.jpg": ("1987-06", None, "sidecar"),
        "c.jpg": ("2011-01-01", None, "sidecar"),
        "d.jpg": ("2010-05-06T10:00:00", 540, "sidecar"),
        "e.jpg": ("2010-05-06T10:00:00", None, "exif"),
        "f.jpg": ("2010-05-06T10:00:00", None, "exif"),
    }


def test_photos_of_takeout_find_their_json(library: Library) -> None:
    """Numbers, cut names, edited photos, and a JSON file in another part of the export."""
    album = "part 1/Takeout/Google Photos/Photos from 2004"
    other = "part 2/Takeout/Google Photos/Photos from 2004"
    noon = 1089633600  # 2004-07-12 12:00 UTC
    library.add(f"{album}/IMG_1.jpg")
    library.takeout(f"{album}/IMG_1.jpg.supplemental-metadata.json", noon)
    library.add(f"{album}/IMG_1(1).jpg")
    library.takeout(f"{album}/IMG_1.jpg.supplemental-metadata(1).json", noon + 3600)
    library.add(f"{album}/IMG_1-bearbeitet.jpg")
    long_name = "Familienfest bei Tante Erna im Garten mit allen Kindern.jpg"
    library.add(f"{album}/{long_name}")
    library.takeout(f"{album}/{long_name[:46]}.json", noon + 7200)
    library.add(f"{album}/Screenshot_Edge_with_a_name.jpg")
    library.takeout(f"{album}/{'Screenshot_Edge_with_a_name.jpg.supplemental-metadata'[:46]}.json", noon + 10800)
    library.add(f"{album}/old.jpg")
    library.takeout(f"{other}/old.jpg.json", -700000000)
    library.add(f"{album}/none.jpg")
    library.takeout(f"{album}/none.jpg.json", 0)
    library.add(f"{album}/exif.jpg", {ORIGINAL: "2004:07:12 14:00:00"})
    library.takeout(f"{album}/exif.jpg.json", noon)
    date_by_name = {Path(path).name: date for path, date in library.scan("Europe/Berlin").items()}
    assert date_by_name == {
        "IMG_1.jpg": ("2004-07-12T14:00:00", 120, "takeout"),
        "IMG_1(1).jpg": ("2004-07-12T15:00:00", 120, "takeout"),
        "IMG_1-bearbeitet.jpg": ("2004-07-12T14:00:00", 120, "takeout"),
        long_name: ("2004-07-12T16:00:00", 120, "takeout"),
        "Screenshot_Edge_with_a_name.jpg": ("2004-07-12T17:00:00", 120, "takeout"),
        "old.jpg": ("1947-10-27T04:33:20", 60, "takeout"),
        "none.jpg": ("2004", None, "folder_name"),
        "exif.jpg": ("2004-07-12T14:00:00", 120, "exif"),
    }


def test_the_video_of_a_live_photo_dates_it(library: Library) -> None:
    """Its written date with an offset, else its header in UTC; also the video behind a motion photo."""
    taken = 3_645_043_200  # 2019-07-04 00:00 UTC since 1904
    library.add("IMG_1.jpg")
    (library.folder / "IMG_1.MOV").write_bytes(video(taken, "2019-07-03T20:00:00-0400"))
    library.add("IMG_2.jpg")
    (library.folder / "IMG_2.mp4").write_bytes(video(taken))
    motion = library.add("motion.jpg")
    motion.write_bytes(motion.read_bytes() + video(taken, "2019-07-04T09:00:00+0900"))
    library.add("IMG_3.jpg")
    (library.folder / "IMG_3.mov").write_bytes(video(taken)[:60])
    assert library.scan("UTC") == {
        "IMG_1.jpg": ("2019-07-03T20:00:00", -240, "quicktime"),
        "IMG_2.jpg": ("2019-07-04T00:00:00", 0, "quicktime"),
        "motion.jpg": ("2019-07-04T09:00:00", 540, "quicktime"),
        "IMG_3.jpg": (None, None, None),
    }


def test_a_copy_at_another_place_may_say_more(library: Library) -> None:
    """The most trusted date of all locations counts, in whatever order they are scanned."""
    undated = library.add("a/copy.jpg")
    (library.folder / "b 1987").mkdir()
    shutil.copyfile(undated, library.folder / "b 1987" / "1.jpg")
    exif = library.add("a/exif.jpg", {ORIGINAL: "2010:05:06 10:00:00"})
    (library.folder / "2004-07").mkdir()
    shutil.copyfile(exif, library.folder / "2004-07" / "2.jpg")
    assert {date[0] for date in library.scan().values()} == {"1987", "2010-05-06T10:00:00"}
    shutil.copyfile(undated, library.folder / "c.jpg")
    library.sidecar("c.jpg.xmp", original="1987-06-21")
    assert {date[0] for date in library.scan().values()} == {"1987-06-21", "2010-05-06T10:00:00"}


@needs_cases
def test_dates_elsewhere(library: Library) -> None:
    """Names, IPTC, partial XMP, a sidecar, PNG, 24:00:00 and PM."""
    shutil.copytree(CASES / "dates_elsewhere", library.folder, dirs_exist_ok=True)
    for path in library.folder.iterdir():
        path.chmod(0o644)
    assert library.scan() == {
        "IMG-20200101-WA0001.jpg": ("2020-01-01", None, "file_name"),
        "IMG_20190704_153012.jpg": ("2019-07-04T15:30:12", None, "file_name"),
        "2011-07-19 11.36.39.jpg": ("2011-07-19T11:36:39", None, "file_name"),
        "signal-2018-08-21-100217.jpg": ("2018-08-21T10:02:17", None, "file_name"),
        "iptc.jpg": ("1975-06-01T12:00:00", 0, "iptc"),
        "sidecar.jpg": ("1975-06-01T12:00:00", None, "sidecar"),
        "xmponly.jpg": ("1948", None, "xmp"),
        "xmppartial.jpg": ("1948-06", None, "xmp"),
        "midnight24.jpg": ("2014-04-07T00:00:00", None, "exif"),
        "pm.jpg": ("2014-04-06T17:06:07", None, "exif"),
        "png_creation.png": ("2016-05-04T03:02:01", None, "png"),
    }


@needs_cases
def test_a_day_is_that_of_the_place(library: Library) -> None:
    """Half past midnight in Tokyo is of that day in the views, the reports and the search."""
    for name in ("phone.jpg", "camera.jpg"):
        shutil.copyfile(CASES / "local_day" / name, library.folder / name)
    dates = library.scan()
    assert {str(date[0])[:10] for date in dates.values()} == {"2020-01-01"}
    with catalog.open(library.folder.parent / "catalog.sqlite3") as opened:
        (person,) = opened.report("people").records()
        assert (person["first_seen"], person["last_seen"]) == ("2020-01-01", "2020-01-01")
        assert [row["month"] for row in opened.report("timeline").records()] == ["2020-01"]
        filters = catalog.ReportFilters(since="2020-01-01", until="2020-01-01")
        assert len(list(opened.report("appearances", filters).records())) == 2
        reference = library.folder / "camera.jpg"
        assert len(opened.find(reference, since="2020-01-01").matches) == 2
        assert len(opened.find(reference, until="2019").matches) == 0
