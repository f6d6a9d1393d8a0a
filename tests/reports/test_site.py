"""The pages: private, complete, and tested in a browser."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from catalog.domain.errors import UsageError
from catalog.domain.faces import BoundingBox
from catalog.domain.uri import file_path
from catalog.images.decode import InProcessOpener
from catalog.reports.site.output_folder import SiteFolder
from catalog.reports.site.pages import page, photo_data
from catalog.reports.site.write_site import SiteSummary, write_site
from catalog.store import tables
from catalog.store.database import Database, open_database
from catalog.store.photo_dates import date_columns
from tests.red_face_photos import save_photo
from tests.web.browser import SHARED_CHROMIUM, chromium, needs_chromium

HOSTILE = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>'


@pytest.fixture
def database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """SQLite only: both databases give the same rows."""
    shutil.copyfile(sqlite_template, tmp_path / "catalog.db")
    opened = open_database(str(tmp_path / "catalog.db"))
    yield opened
    opened.close()


def write(database: Database, out: Path) -> SiteSummary:
    return write_site(
        database,
        SiteFolder(out),
        read=lambda uri: Path(file_path(uri).decode()).read_bytes(),
        opener=InProcessOpener(),
        workers=2,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        version="test",
    )


@pytest.fixture
def library(database: Database, add_person, add_photo, tmp_path: Path) -> Path:
    """Ada and a person with a hostile name on photos of four months; Eve is hidden."""
    ada, hostile, eve, nobody = (
        add_person("Ada"),
        add_person(HOSTILE),
        add_person("Evelyn Secret", hidden=True),
        add_person(None),
    )
    right, left = BoundingBox(0.5, 0.1, 0.2, 0.4), BoundingBox(0.1, 0.3, 0.2, 0.4)
    photos = [
        ((right, ada),),
        ((right, ada), (left, hostile)),
        ((right, hostile), (left, eve)),
        ((right, nobody), (left, ada)),
    ]
    folder = tmp_path / "library"
    folder.mkdir()
    for number, people in enumerate(photos):
        path = save_photo(folder / f"photo {number}.jpg")
        with Image.open(path) as image:
            image.save(path, comment=str(number))
        row = add_photo(path, people=people)
        with database.begin() as connection:
            date = date_columns(datetime(2020, number + 1, 1, 10, tzinfo=UTC), None, None, None)
            connection.execute(update(tables.photos).where(tables.photos.c.id == row).values(**date))
            connection.exec_driver_sql(f"UPDATE faces SET emotion = 'HAPPY' WHERE photo_id = {row}")
    return folder


def test_the_output_folder_is_private(database, library, tmp_path):
    """Folders 0700 and files 0600, with any umask."""
    write(database, tmp_path / "out")
    paths = [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}
    assert len([path for path in paths if path.suffix == ".jpg"]) > 4


def test_a_folder_with_other_files_is_refused(tmp_path):
    """The user's files are never removed."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(UsageError, match="contains other files"):
        SiteFolder(tmp_path / "letters")
    assert (tmp_path / "letters" / "a.txt").read_text() == "dear"


def test_a_person_without_a_detected_face_has_a_page_with_the_photo(database, library, tmp_path, add_person):
    """With the box of the region, and without one."""
    row = add_person("Bob Fromback")
    with database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO named_appearances (photo_id, person_id, source, named_at, box_left, box_top, box_width,"
            f" box_height) VALUES (1, {row}, 'a', '', 0.1, 0.6, 0.2, 0.3), (2, {row}, 'b', '', NULL, NULL, NULL, NULL)"
        )
    assert write(database, tmp_path / "out").people == 4
    page = (tmp_path / "out" / "people" / f"p{row - 1:08d}.html").read_text()
    assert "0 faces on 2 photos" in page
    assert "[100,600,200,300,0]" in page


def test_hidden_persons_are_on_no_page(database, library, tmp_path):
    """No name, no page and no box."""
    write(database, tmp_path / "out")
    text = "".join(path.read_text() for path in (tmp_path / "out").rglob("*.html"))
    assert "Ada" in text
    assert "Evelyn" not in text
    assert not (tmp_path / "out" / "people" / "p00000002.html").exists()
    assert text.count("[100,300,200,400,") == 2 * 2  # Ada's and the hostile one's, on their pages and the year's


def test_a_second_run_removes_hidden_persons_and_redraws_nothing(database, library, tmp_path):
    """Images of other persons are kept."""
    first = write(database, tmp_path / "out")
    assert (first.people, first.photos, first.removed, first.unreadable) == (3, 4, 0, ())
    pictures = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")}
    with database.begin() as connection:
        connection.execute(tables.persons.update().where(tables.persons.c.name == "Ada").values(hidden=True))
    second = write(database, tmp_path / "out")
    assert second.pictures == 0
    assert second.removed > 0
    left = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")}
    assert left.items() < pictures.items()
    assert "Ada" not in "".join(path.read_text() for path in (tmp_path / "out").rglob("*.html"))


def test_an_unreadable_photo_is_reported_and_the_others_are_shown(database, library, tmp_path):
    """One sentence for the unreadable photo."""
    (library / "photo 1.jpg").write_bytes(b"\xff\xd8 broken")
    written = write(database, tmp_path / "out")
    assert len(written.unreadable) == 1
    assert written.pictures == 3


def test_an_empty_catalogue_has_pages(database, tmp_path):
    """The page of people says so."""
    assert write(database, tmp_path / "out").people == 0
    assert "No people yet" in (tmp_path / "out" / "index.html").read_text()


# ------------------------------------------------------------------------------------------------------ browser


@pytest.fixture(autouse=True, scope="module")
def browser_of_the_module() -> Iterator[None]:
    """Ends the browser that the tests of the module have used."""
    yield
    SHARED_CHROMIUM.close()


@contextmanager
def browsing(**options: object) -> Iterator:
    """A page of headless Chromium. Errors and network requests are collected."""
    with chromium(**options) as context:
        tab = context.new_page()
        tab.complaints = []
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.on("dialog", lambda dialog: tab.complaints.append(dialog.message))
        tab.on("request", lambda r: tab.complaints.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
        tab.on("requestfailed", lambda request: tab.complaints.append(f"missing: {request.url}"))
        yield tab
        assert tab.complaints == []


@pytest.fixture
def site(database, library, tmp_path) -> str:
    """The url of the written pages."""
    write(database, tmp_path / "out")
    return f"file://{tmp_path}/out"


@needs_chromium
def test_a_user_finds_a_person_and_views_photos(site):
    """Search, the page of the person, the boxes, and the viewer by keyboard."""
    with browsing(viewport={"width": 1000, "height": 800}) as tab:
        tab.goto(f"{site}/index.html")
        assert tab.locator("#people li").count() == 3
        tab.keyboard.press("/")
        tab.keyboard.type("ÁDA")
        assert tab.locator("#people li:visible").count() == 1
        assert tab.locator("#found").inner_text() == "1 found"
        tab.locator("#people a:visible").press("Enter")
        assert tab.locator("h1").inner_text() == "Ada"
        assert tab.locator(".photo").count() == 3
        assert "together" not in tab.title()
        picture, face = tab.locator(".photo").first.bounding_box(), tab.locator(".photo .face").first.bounding_box()
        assert (face["x"] - picture["x"]) / picture["width"] == pytest.approx(0.5, abs=0.03)
        assert (face["y"] - picture["y"]) / picture["height"] == pytest.approx(0.1, abs=0.03)
        assert face["width"] / picture["width"] == pytest.approx(0.2, abs=0.03)
        tab.locator(".photo").first.press("Enter")
        assert "photo 0.jpg" in tab.locator("#viewer-text").inner_text()
        assert tab.locator("#viewer .face b").inner_text() == "Ada"
        tab.keyboard.press("ArrowRight")
        assert "photo 1.jpg" in tab.locator("#viewer-text").inner_text()
        tab.keyboard.press("Escape")
        assert not tab.locator("#viewer").is_visible()
        tab.goto(f"{site}/years/2020.html")
        tab.locator(".photo").first.press("Enter")
        name = tab.locator("#viewer .face b").first.inner_text()
        tab.locator("#viewer a.face").first.press("Enter")
        assert tab.locator("h1").inner_text() == name


@needs_chromium
@pytest.mark.parametrize("name", ["index", "people/p00000001", "company", "expressions", "photos", "years/2020"])
def test_names_with_markup_are_text(site, name):
    """No other script runs and nothing is fetched."""
    with browsing() as tab:
        tab.goto(f"{site}/{name}.html")
        tab.wait_for_load_state("networkidle")
        assert tab.title().endswith("catalog")
        assert tab.locator("[onerror]").count() == 0
        if name.startswith("people"):
            assert tab.locator("h1").inner_text() == HOSTILE
        if name in ("index", "company"):
            assert HOSTILE in tab.locator("main").inner_text()


@needs_chromium
def test_an_injected_script_does_not_run(site, tmp_path):
    """The policy holds without the escaping."""
    path = tmp_path / "out" / "index.html"
    path.write_text(path.read_text().replace("</main>", "<script>document.title = 'owned'</script></main>"))
    with browsing() as tab:
        tab.goto(f"{site}/index.html")
        assert tab.title() != "owned"
        assert any("Content Security Policy" in complaint for complaint in tab.complaints)
        tab.complaints.clear()


@needs_chromium
def test_colors_follow_the_system_setting(site):
    """Light and dark."""
    shades = []
    for scheme in ("light", "dark"):
        with browsing(color_scheme=scheme) as tab:
            tab.goto(f"{site}/index.html")
            color = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            shades.append(sum(int(part) for part in color.removeprefix("rgb(").rstrip(")").split(",")))
    assert shades[0] > 700 > 150 > shades[1]


@needs_chromium
@pytest.mark.parametrize("name", ["index", "people/p00000000", "expressions", "years/2020"])
def test_pages_fit_a_phone(site, name):
    """No element is wider than 360 pixels."""
    with browsing(viewport={"width": 360, "height": 640}, has_touch=True) as tab:
        tab.goto(f"{site}/{name}.html")
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360


@needs_chromium
def test_a_page_of_fifty_thousand_photos_opens(tmp_path):
    """It shows few images at a time, at the top and at the end."""
    face = [500, 100, 200, 400, 0]
    rows = [
        ("photos/xx/none.jpg", "/album/", f"{n}.jpg", f"2020-{1 + n // 4200:02d}-01T00:00:00", 2.0, [face])
        for n in range(50_000)
    ]
    values = {"label": "Photos of 2020", "photo_count": len(rows)}
    (tmp_path / "photos" / "xx").mkdir(parents=True)
    save_photo(tmp_path / "photos" / "xx" / "none.jpg")
    (tmp_path / "years").mkdir()
    (tmp_path / "years" / "2020.html").write_text(page("year.html", values, up="../", data=photo_data(rows, ["Ada"])))
    with browsing(viewport={"width": 1000, "height": 800}) as tab:
        started = time.monotonic()
        tab.goto(f"file://{tmp_path}/years/2020.html")
        tab.locator(".photo img").first.wait_for()
        seconds = time.monotonic() - started
        assert tab.locator(".photo").count() < 1000
        last = tab.locator("[data-index='49999']")
        for _ in range(50):  # heights are estimates until the photos are loaded, so that the end moves
            tab.evaluate("scrollTo(0, document.body.scrollHeight)")
            tab.wait_for_timeout(200)
            is_at_end = last.count()
            tab.wait_for_timeout(200)  # images that load may push the end away once more
            if is_at_end and last.count():
                break
        assert last.count() == 1
        assert tab.locator(".photo").count() < 1000
        assert seconds < 10
