"""The folder of pages: private, complete, and looked at in a real browser."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from catalog.domain.errors import UsageError
from catalog.domain.faces import BoundingBox
from catalog.domain.uri import file_path
from catalog.images.decode import InProcessOpener
from catalog.reports.site.output_folder import SiteFolder
from catalog.reports.site.pages import page, photo_data
from catalog.reports.site.write_site import SiteSummary, write_site
from catalog.store.database import Database, open_database
from catalog.store.tables import persons
from tests.exchange.conftest import save_photo

HOSTILE = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>'
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")


@pytest.fixture
def database(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """SQLite only: the pages are made from the same rows on both."""
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
    """Ada and a person with a hostile name, together and alone, on photos of four months; Eve is hidden."""
    ada, hostile, eve, nobody = (
        add_person("Ada"),
        add_person(HOSTILE),
        add_person("Evelyn Secret", hidden=True),
        add_person(None),
    )
    one, two = BoundingBox(0.5, 0.1, 0.2, 0.4), BoundingBox(0.1, 0.3, 0.2, 0.4)
    photos = [((one, ada),), ((one, ada), (two, hostile)), ((one, hostile), (two, eve)), ((one, nobody), (two, ada))]
    folder = tmp_path / "library"
    folder.mkdir()
    for number, people in enumerate(photos):
        path = save_photo(folder / f"photo {number}.jpg")
        with Image.open(path) as image:
            image.save(path, comment=str(number))
        row = add_photo(path, people=people)
        with database.begin() as connection:
            connection.exec_driver_sql(
                f"UPDATE photos SET taken_at = '2020-0{number + 1}-01T10:00:00.000000Z' WHERE id = {row}"
            )
            connection.exec_driver_sql(f"UPDATE faces SET emotion = 'HAPPY' WHERE photo_id = {row}")
    return folder


def test_the_folder_is_for_its_owner_only(database, library, tmp_path):
    """Folders 0700, files 0600, whatever the umask says."""
    write(database, tmp_path / "out")
    paths = [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_file()} == {0o600}
    assert len([path for path in paths if path.suffix == ".jpg"]) > 4


def test_another_folder_is_refused(tmp_path):
    """Nothing of the user's is ever swept away."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    with pytest.raises(UsageError, match="holds something else"):
        SiteFolder(tmp_path / "letters")
    assert (tmp_path / "letters" / "a.txt").read_text() == "dear"


def test_hidden_people_are_nowhere(database, library, tmp_path):
    """Neither a name, nor a page, nor a box."""
    write(database, tmp_path / "out")
    text = "".join(path.read_text() for path in (tmp_path / "out").rglob("*.html"))
    assert "Ada" in text
    assert "Evelyn" not in text
    assert not (tmp_path / "out" / "people" / "p00000002.html").exists()
    assert text.count("[100,300,200,400,") == 2 * 2  # Ada's and the hostile one's, on their pages and the year's


def test_who_is_hidden_later_leaves_the_folder_and_nothing_else_is_drawn_again(database, library, tmp_path):
    """A second run keeps what it can and removes what it must."""
    first = write(database, tmp_path / "out")
    assert (first.people, first.photos, first.removed, first.unreadable) == (3, 4, 0, ())
    pictures = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")}
    with database.begin() as connection:
        connection.execute(persons.update().where(persons.c.name == "Ada").values(hidden=True))
    second = write(database, tmp_path / "out")
    assert second.pictures == 0
    assert second.removed > 0
    left = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")}
    assert left.items() < pictures.items()
    assert "Ada" not in "".join(path.read_text() for path in (tmp_path / "out").rglob("*.html"))


def test_a_photo_that_cannot_be_read_is_told_and_the_rest_is_there(database, library, tmp_path):
    """One sentence for the broken one."""
    (library / "photo 1.jpg").write_bytes(b"\xff\xd8 broken")
    written = write(database, tmp_path / "out")
    assert len(written.unreadable) == 1
    assert written.pictures == 3


def test_an_empty_catalogue_has_pages_too(database, tmp_path):
    """Nobody yet is an answer."""
    assert write(database, tmp_path / "out").people == 0
    assert "Nobody yet" in (tmp_path / "out" / "index.html").read_text()


# ------------------------------------------------------------------------------------------------------ browser


@contextmanager
def browsing(**context: object) -> Iterator:
    """A page of headless Chromium; whatever it complains of, or asks the network for, is collected."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        tab = browser.new_page(**context)
        tab.complaints = []
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.on("dialog", lambda dialog: tab.complaints.append(dialog.message))
        tab.on("request", lambda r: tab.complaints.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
        tab.on("requestfailed", lambda request: tab.complaints.append(f"missing: {request.url}"))
        yield tab
        assert tab.complaints == []
        browser.close()


@pytest.fixture
def site(database, library, tmp_path) -> str:
    """The address of the written pages."""
    write(database, tmp_path / "out")
    return f"file://{tmp_path}/out"


@needs_browser
def test_a_reader_finds_a_person_and_looks_at_their_photos(site):
    """Search, the person's page, the boxes on the photos, and the viewer by keyboard alone."""
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


@needs_browser
@pytest.mark.parametrize("name", ["index", "people/p00000001", "company", "expressions", "photos", "years/2020"])
def test_what_people_wrote_is_shown_and_never_run(site, name):
    """A name that is markup stays text on every page; no script but ours runs, nothing is fetched."""
    with browsing() as tab:
        tab.goto(f"{site}/{name}.html")
        tab.wait_for_load_state("networkidle")
        assert tab.title().endswith("catalog")
        assert tab.locator("[onerror]").count() == 0
        if name.startswith("people"):
            assert tab.locator("h1").inner_text() == HOSTILE
        if name in ("index", "company"):
            assert HOSTILE in tab.locator("main").inner_text()


@needs_browser
def test_injected_script_would_not_run(site, tmp_path):
    """The policy itself holds, should the escaping ever fail."""
    path = tmp_path / "out" / "index.html"
    path.write_text(path.read_text().replace("</main>", "<script>document.title = 'owned'</script></main>"))
    with browsing() as tab:
        tab.goto(f"{site}/index.html")
        assert tab.title() != "owned"
        assert any("Content Security Policy" in complaint for complaint in tab.complaints)
        tab.complaints.clear()


@needs_browser
def test_it_is_dark_where_the_reader_is(site):
    """Light and dark follow the system."""
    shades = []
    for scheme in ("light", "dark"):
        with browsing(color_scheme=scheme) as tab:
            tab.goto(f"{site}/index.html")
            color = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            shades.append(sum(int(part) for part in color.removeprefix("rgb(").rstrip(")").split(",")))
    assert shades[0] > 700 > 150 > shades[1]


@needs_browser
@pytest.mark.parametrize("name", ["index", "people/p00000000", "expressions", "years/2020"])
def test_it_fits_a_phone(site, name):
    """Nothing sticks out at the side of 360 pixels."""
    with browsing(viewport={"width": 360, "height": 640}, has_touch=True) as tab:
        tab.goto(f"{site}/{name}.html")
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360


@needs_browser
def test_fifty_thousand_photos_open_at_once(tmp_path):
    """The page is there in seconds and holds few pictures at a time, at its top and at its end."""
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
        for _ in range(50):  # heights are estimates until the photos are there, so the end moves a little
            tab.evaluate("scrollTo(0, document.body.scrollHeight)")
            tab.wait_for_timeout(200)
            if last.count():
                break
        assert last.count() == 1
        assert tab.locator(".photo").count() < 1000
        assert seconds < 10
