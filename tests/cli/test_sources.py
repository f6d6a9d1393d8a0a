"""`catalog sources`: what was scanned, and taking a source out again."""

from __future__ import annotations

import io
import json


def test_sources_are_listed_and_removed(catalog, portraits, monkeypatch):
    """A removal asks first; the files stay."""
    catalog("scan", portraits)
    (line,) = [json.loads(line) for line in catalog("sources", "--json").out.splitlines()]
    assert (line["photos"], line["places"]) == (5, 5)
    assert line["uri"].endswith("/")
    assert str(portraits) in catalog("sources").out
    assert "would be removed" in catalog("sources", "remove", portraits, "--dry-run").out
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "Nothing was changed." in catalog("sources", "remove", portraits).out
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert catalog("sources", "remove", portraits).code == 2
    answer = json.loads(catalog("sources", "remove", portraits, "--yes", "--json").out)
    assert answer == {"dry_run": False, "places": 5, "photos": 5, "faces": 5}
    assert "No source was scanned yet." in catalog("sources").out
    assert len(list(portraits.iterdir())) == 5
    assert catalog("sources", "remove", portraits, "--yes").code == 2


def test_junk_is_left_out_and_counted(catalog, portraits):
    """In the dry run, the closing lines and JSON, with the rule; -v lists every rule."""
    (portraits / "@eaDir").mkdir()
    (portraits / "clip.mov").write_bytes(b"film")
    plan = json.loads(catalog("scan", portraits, "--dry-run", "--json").out)
    assert (plan["discovered"], plan["left_out"]) == (5, {"@eaDir (Synology)": 1})
    assert plan["other_files"] == {".mov": 1}
    answer = catalog("scan", portraits, "--exclude", "obama_1.jpg", "-v")
    assert "1 @eaDir (Synology)" in answer.out
    assert "1 pattern: obama_1.jpg" in answer.out
    assert "1 file not looked at: 1 .mov" in answer.out
    summary = json.loads(
        catalog("scan", portraits, "--exclude", "*", "--include", "obama_1.jpg", "--json").out.splitlines()[-1]
    )
    assert summary["discovered"] == 1
    assert catalog("scan", portraits, "--exclude", "!").code == 2
