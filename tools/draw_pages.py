"""Draw the README's pictures of `report html`, `analyze --annotate` and `compare --annotate`, from real output.

Run after the pages or the annotations changed, where Chromium is installed: python tools/draw_pages.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PORTRAITS = ROOT / "tests" / "fixtures"
NAMES = {"astronaut.jpg": "Eileen Collins", "obama_1.jpg": "Barack Obama", "biden.jpg": "Joe Biden"}
WIDTH = 900


def catalog(*arguments: str) -> str:
    command = [Path(sys.executable).with_name("catalog"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def draw_pages(folder: Path) -> None:
    """The page of people and a person's photo with its box, side by side."""
    shutil.copytree(PORTRAITS, folder / "portraits", ignore=shutil.ignore_patterns("*.md"))
    database = f"--database={folder / 'catalog.db'}"
    catalog("scan", str(folder / "portraits"), database)
    for photo, name in NAMES.items():
        where = f"SELECT person_id FROM v1_appearances WHERE uri LIKE '%/{photo}' ORDER BY box_width DESC LIMIT 1"
        person = catalog("sql", where, "--format=csv", database).split()[1]
        catalog("people", "name", person, name, database)
    catalog("report", "html", str(folder / "pages"), database)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for number, scheme in enumerate(("light", "dark")):
            tab = browser.new_page(viewport={"width": 720, "height": 620}, color_scheme=scheme)
            tab.goto(f"file://{folder}/pages/index.html")
            if scheme == "dark":
                tab.locator("#people a", has_text="Barack Obama").click()
                tab.locator(".photo").first.scroll_into_view_if_needed()
            tab.wait_for_load_state("networkidle")
            tab.wait_for_timeout(500)
            tab.screenshot(path=folder / f"page{number}.png")
        browser.close()
    shots = [Image.open(folder / f"page{number}.png").convert("RGB") for number in range(2)]
    sheet = Image.new("RGB", (shots[0].width * 2 + 12, shots[0].height), "white")
    sheet.paste(shots[0], (0, 0))
    sheet.paste(shots[1], (shots[0].width + 12, 0))
    _save(sheet, "pages.jpg", 2 * WIDTH)


def draw_annotations(folder: Path) -> None:
    catalog("analyze", str(PORTRAITS / "astronaut.jpg"), "--annotate", str(folder / "analyze.jpg"))
    source, target = PORTRAITS / "obama_1.jpg", PORTRAITS / "obama_2.jpg"
    catalog("compare", str(source), str(target), "--annotate", str(folder / "compare.jpg"))
    for name, width in (("analyze.jpg", WIDTH // 2), ("compare.jpg", WIDTH)):
        _save(Image.open(folder / name), name, width)


def _save(image: Image.Image, name: str, width: int) -> None:
    image.thumbnail((width, width))
    image.save(IMAGES / name, quality=82, optimize=True)
    print(f"wrote docs/images/{name}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        draw_pages(Path(temporary))
        draw_annotations(Path(temporary))
