"""Photos missing for long are removed with their faces; decisions stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog.scanning.prune import plan_prune, prune
from tests.fakes import Drawn, save_drawing

TOMORROW = datetime.now(UTC) + timedelta(days=1)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


def run(scanner, before):
    return prune(
        scanner.database,
        lambda: scanner.engine,
        name=scanner.engine.name,
        gallery="catalog",
        before=before,
        now=datetime.now(UTC),
    )


def test_a_photo_whose_places_are_all_gone_goes_with_its_faces(scanner, folder, rows):
    """Rows and gallery faces are deleted. A photo with a copy elsewhere stays."""
    deleted = save_drawing(folder / "gone.png", [Drawn("ann"), Drawn("bob", left=140)])
    remaining = save_drawing(folder / "kept.png", [Drawn("ann")])
    (folder / "copy.png").write_bytes(remaining.read_bytes())
    scanner()
    deleted.unlink()
    remaining.unlink()
    scanner()
    planned = plan_prune(scanner.database, TOMORROW)
    done = run(scanner, TOMORROW)
    assert (planned.places, planned.photos) == (done.places, done.photos) == (2, 1)
    assert done.faces == 2
    assert rows("SELECT count(*) FROM photos") == [(1,)]
    assert rows("SELECT count(*) FROM faces") == [(1,)]
    assert rows("SELECT count(*) FROM removals") == [(0,)]
    assert len(list(scanner.engine.enrolled())) == 1


def test_within_the_grace_period_nothing_goes(scanner, folder, rows):
    """A disk that was not mounted for one night loses no photo."""
    save_drawing(folder / "a.png", [Drawn("ann")]).unlink()
    save_drawing(folder / "b.png", [Drawn("ann")])
    scanner()
    (folder / "b.png").unlink()
    save_drawing(folder / "c.png")
    scanner()
    assert run(scanner, YESTERDAY).places == 0
    assert rows("SELECT count(*) FROM faces") == [(1,)]


def test_faces_that_a_killed_prune_left_are_removed_by_the_next_scan(scanner, folder, rows):
    """The rows are deleted and the removal of the gallery faces is pending."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    save_drawing(folder / "b.png")
    scanner()
    photo.unlink()
    scanner()

    class Killed(BaseException):
        pass

    class DyingEngine:
        def remove(self, face_ids):
            raise Killed

    with pytest.raises(Killed):
        prune(
            scanner.database,
            DyingEngine,
            name=scanner.engine.name,
            gallery="catalog",
            before=TOMORROW,
            now=datetime.now(UTC),
        )
    assert len(list(scanner.engine.enrolled())) == 1
    assert rows("SELECT count(*) FROM removals") == [(1,)]
    scanner()
    assert list(scanner.engine.enrolled()) == []
    assert rows("SELECT count(*) FROM removals") == [(0,)]
