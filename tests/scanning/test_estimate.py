"""An estimate counts the photos that a scan would read."""

from __future__ import annotations

from catalog.scanning.estimate import estimate
from catalog.scanning.plan import plan
from catalog.sources.folder import FolderSource
from tests.fakes import Drawn, save_drawing


def test_an_estimate_looks_at_files_of_unknown_ending(scanner, folder):
    """A dry run counts them as a scan does."""
    save_drawing(folder / "a.png", [Drawn("ann")]).rename(folder / "photo")
    (folder / "note").write_bytes(b"text")
    (folder / "b.mov").write_bytes(b"film")
    (folder / "@eaDir").mkdir()
    counts = estimate(plan(scanner.database, FolderSource(folder), engine="fake", gallery="catalog"))
    assert (counts.unseen, counts.discovered) == (1, 1)
    assert dict(counts.other_files) == {"no ending": 1, ".mov": 1}
    assert dict(counts.left_out) == {"@eaDir (Synology)": 1}
