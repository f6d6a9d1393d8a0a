"""`catalog report` finds a report by any of its names."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("name", ["co-occurrence", "co_occurrence", "persons", "Timeline", "co occurrence"])
def test_a_report_is_found_by_each_of_its_names(catalog, portraits, name):
    """Underscores, capital letters and former names, too."""
    catalog("scan", portraits)
    assert catalog("report", name, "--format", "json").code == 0


def test_an_unknown_report_lists_all_reports(catalog):
    answer = catalog("report", "weather")
    assert answer.code == 2
    assert 'There is no report named "weather".' in answer.err
    assert "Reports: appearances, co-occurrence" in answer.err
