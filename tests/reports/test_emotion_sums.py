"""Shares of expressions over time: gaps, weights, and bands over people."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from catalog.reports.site.charts import share_chart
from catalog.reports.site.emotion_sums import EmotionSums, Share, period_label


def happy_shares(sums: EmotionSums):
    return dict(sums.shares())["HAPPY"]


def test_the_axis_is_time_and_a_gap_is_a_gap():
    """Two months, nothing for two years, two months: the line and the band have two parts each."""
    sums = EmotionSums()
    for month in ("2019-01", "2019-02", "2021-03", "2021-04"):
        for person in range(12):
            sums.add(f"{month}-05T10:00:00", "HAPPY" if person % 2 else "CALM", 99.0, person)
    shares = happy_shares(sums)
    assert [(share.label, share.position) for share in shares] == [
        ("2019-01", 0),
        ("2019-02", 1),
        ("2021-03", 26),
        ("2021-04", 27),
    ]
    svg = ET.fromstring(share_chart("Happy", shares))
    lines = [element for element in svg.iter() if element.tag.endswith("polyline")]
    bands = [element for element in svg.iter() if element.tag.endswith("polygon")]
    assert (len(lines), len(bands)) == (2, 2)
    dots = [float(element.attrib["cx"]) for element in svg.iter() if element.tag.endswith("circle")]
    assert (dots[2] - dots[1]) / (dots[1] - dots[0]) == pytest.approx(25, rel=0.05)
    assert period_label(26, "2019-01") == "2021-03"


def test_an_uncertain_face_counts_for_less():
    """Two certain faces against two that are hardly more than a guess."""
    sums = EmotionSums()
    for person, (emotion, confidence) in enumerate([("HAPPY", 90.0), ("HAPPY", 90.0), ("CALM", 30.0), ("CALM", 30.0)]):
        sums.add("2020-01-01", emotion, confidence, person)
    (share,) = happy_shares(sums)
    assert (share.percent, share.faces) == (pytest.approx(75), 4)


def test_many_faces_of_one_person_are_one_observation():
    """100 faces of one man and one of each of two others are hardly more than one person."""
    one, many = EmotionSums(), EmotionSums()
    for number in range(100):
        one.add("2020-01-01", "HAPPY", 100.0, "bob")
        many.add("2020-01-01", "HAPPY", 100.0, number)
    for sums in (one, many):
        sums.add("2020-01-02", "CALM", 100.0, "ann")
        sums.add("2020-01-02", "CALM", 100.0, None)
    (repeated,), (different,) = happy_shares(one), happy_shares(many)
    assert repeated.percent == different.percent
    assert repeated.observations == pytest.approx(102**2 / (100**2 + 2))
    assert different.observations == pytest.approx(102)
    assert repeated.band[1] - repeated.band[0] > 3 * (different.band[1] - different.band[0])


def test_faces_without_confidence_count_in_full_and_those_without_weight_do_not():
    """Older records have no confidence."""
    sums = EmotionSums()
    sums.add("2020-01-01", "HAPPY", None, 1)
    sums.add("2020-01-01", "CALM", 0.0, 2)
    (share,) = happy_shares(sums)
    assert (share.percent, share.faces) == (100, 1)


def test_no_face_is_no_chart():
    assert list(EmotionSums().shares()) == []


def test_a_share_above_the_whole_by_a_rounding_error_is_drawn(recwarn):
    """The library of the charts would warn about a value outside of the scale, on the user's terminal."""
    whole = sum([0.1] * 3)  # 0.30000000000000004
    share_chart("Happy", [Share("2001-03", 0, whole, 0.3, 3, 3.0), Share("2001-04", 1, 0.2, 0.3, 3, 3.0)])
    assert not recwarn
