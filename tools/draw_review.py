"""Draw the README's three pictures of `catalog review`: the queue, a group card, and the same card on a phone.

Run after the pages changed, where Chromium is installed: python -m tools.draw_review
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

import catalog
from catalog.web.review_server import ReviewServer

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PORTRAITS = ROOT / "tests" / "fixtures"
DESKTOP = {"width": 1100, "height": 700}
PHONE = {"width": 390, "height": 780}


def draw_review(folder: Path) -> None:
    """Scan the portraits, and take the pictures from the pages of the review."""
    photos = folder / "portraits"
    shutil.copytree(PORTRAITS, photos, ignore=shutil.ignore_patterns("*.md"))
    with catalog.open(folder / "catalog.sqlite3", create=True) as library:
        for _ in library.scan([photos]):
            pass
        library.review.refresh()
        server = ReviewServer(library)
        with server.in_background(), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            tab = browser.new_page(viewport=DESKTOP)
            tab.goto(server.address())
            tab.wait_for_selector("#start")
            _save(tab, folder, "review-queue")
            _card(tab, server)
            tab.keyboard.type("Barack Obama")
            tab.wait_for_selector("#names li")
            _save(tab, folder, "review-group")
            phone = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark").new_page()
            phone.goto(server.address())
            phone.wait_for_selector("#start")
            _card(phone, server)
            _save(phone, folder, "review-phone")
            browser.close()


def _card(tab: Any, server: ReviewServer) -> None:
    tab.goto(f"http://{server.host}/review")
    tab.wait_for_selector("#card .tile")


def _save(tab: Any, folder: Path, name: str) -> None:
    tab.wait_for_timeout(1500)
    shot = folder / f"{name}.png"
    tab.screenshot(path=shot)
    Image.open(shot).convert("RGB").save(IMAGES / f"{name}.webp", quality=70, method=6)
    print(name, (IMAGES / f"{name}.webp").stat().st_size)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        draw_review(Path(folder))
