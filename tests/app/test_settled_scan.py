"""A scan that brings no news leaves out the steps after it, unless something else gave them work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import catalog
from catalog.app import after_scan
from catalog.store.review_rows import QuestionRow, add_skip
from catalog.store.settled_state import read_settled_state, write_settled_state

PORTRAITS = Path(__file__).parent.parent / "fixtures"
"""Three photos of one man, one of another man, one of a woman."""


class Nightly:
    """The same scan again and again. ``runs`` counts the runs of the steps."""

    def __init__(self, folder: Path, database: Path) -> None:
        self.folder = folder
        self.database = database
        self.runs = 0

    def scan(self, *, exclude: tuple[str, ...] = (), **settings: object) -> catalog.ScanSummary:
        with catalog.open(self.database, create=True, settings=settings) as opened:
            run = opened.scan([self.folder], exclude=exclude)
            for _ in run:
                pass
            return run.summary

    def has_work(self, **options: object) -> bool:
        """Scan, and tell whether the steps ran."""
        before = self.runs
        self.scan(**options)  # type: ignore[arg-type]
        return self.runs > before


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of portraits and its catalogue."""
    folder = tmp_path_factory.mktemp("settled")
    shutil.copytree(PORTRAITS, folder / "photos")
    Nightly(folder / "photos", folder / "catalog.sqlite3").scan()
    return folder


@pytest.fixture
def nightly(scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nightly]:
    """The settled catalogue, with a spy on the steps. Afterwards folder and catalogue are as they were."""
    kept = tmp_path / "kept"
    shutil.copytree(scanned, kept)
    nightly = Nightly(scanned / "photos", scanned / "catalog.sqlite3")
    nightly.scan()  # the files of an earlier test are other files by their inodes
    nightly.scan()  # the steps find nothing to do
    run_steps = after_scan.run_after_scan_steps

    def spy(*arguments: object, **options: object) -> object:
        nightly.runs += 1
        return run_steps(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(after_scan, "run_after_scan_steps", spy)
    yield nightly
    for path in scanned.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(kept, scanned, dirs_exist_ok=True)


def test_a_scan_without_news_leaves_the_steps_out(nightly):
    assert not nightly.has_work()
    assert not nightly.has_work()


def test_a_photo_that_cannot_be_read_is_no_news(nightly):
    """Each scan tries it again, and nothing is recorded of it."""
    (nightly.folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    assert not nightly.has_work()


def test_a_changed_photo_gives_work_until_the_steps_find_none(nightly):
    shutil.copy(nightly.folder / "obama_1.jpg", nightly.folder / "copy.jpg")
    assert nightly.has_work()
    assert nightly.has_work()  # the first run changed stacks; only a run without a change shows that none is left
    assert not nightly.has_work()


def test_a_photo_that_is_gone_gives_work(nightly):
    (nightly.folder / "obama_1.jpg").unlink()
    assert nightly.has_work()


def test_an_exclusion_that_comes_or_goes_gives_work(nightly):
    assert nightly.has_work(exclude=("obama_2.jpg",))
    nightly.scan(exclude=("obama_2.jpg",))
    assert not nightly.has_work(exclude=("obama_2.jpg",))
    assert nightly.has_work()


def test_a_setting_gives_work(nightly):
    """Groups and stacks follow from it."""
    assert nightly.has_work(**{"identities.linkage_threshold": 0.9})
    assert nightly.has_work(**{"scan.stacks": False})


def test_decisions_of_another_process_give_work(nightly):
    """A rejected face is assigned again; so is it after the undo."""
    with catalog.open(nightly.database) as other:
        person = max(other.people(), key=lambda person: person.faces)
        face = other.faces(person.person_id)[0]
        number = other.decisions.reject(face.face_id, person.person_id)
    assert nightly.has_work()
    with catalog.open(nightly.database) as other:
        other.decisions.undo(number)
    assert nightly.has_work()


def test_a_date_gives_work(nightly):
    """Apparent birth years follow from it."""
    with catalog.open(nightly.database) as other:
        other.decisions.set_date(nightly.folder, "1999")
    assert nightly.has_work()


def test_a_new_entry_of_the_watch_list_is_searched_for(nightly):
    with catalog.open(nightly.database) as other:
        other.watch_list.add("Ann", [nightly.folder / "obama_1.jpg"], threshold=80)
    assert len(nightly.scan().hits) >= 1
    assert not nightly.has_work()


def test_a_forgotten_person_gives_work(nightly):
    """Its faces are pending removals, and tombstones keep it out."""
    with catalog.open(nightly.database) as other:
        other.forget(other.people()[0].person_id)
    assert nightly.has_work()


def test_a_scan_of_another_folder_gives_work_if_it_was_cut_off(nightly, tmp_path):
    """Its photos are recorded, and its steps did not run."""
    shutil.copytree(PORTRAITS, tmp_path / "more", dirs_exist_ok=True)
    with catalog.open(nightly.database) as other, other.scan([tmp_path / "more"]) as run:
        next(run)
    assert nightly.has_work()


def test_a_skip_whose_time_is_over_gives_work(nightly):
    """The question is asked again."""
    question = QuestionRow(1, 2, None, 80.0, 0.5, 1, 0.1, None)
    with catalog.open(nightly.database) as other, other._resources.database.begin() as connection:
        add_skip(connection, question, "2001-01-01T00:00:00.000000Z")
    assert nightly.has_work()


def test_conflicts_are_counted_by_every_scan(nightly):
    """``--fail-on conflicts`` fails also when the steps are left out."""
    with catalog.open(nightly.database) as other, other._resources.database.begin() as connection:
        state = read_settled_state(connection)
        assert state.conflicts == 0
        write_settled_state(connection, replace(state, conflicts=3))
    assert nightly.scan().conflicts == 3
    assert nightly.runs == 0
