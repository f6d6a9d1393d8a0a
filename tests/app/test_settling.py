"""Counts and years of persons follow decisions at once."""

from __future__ import annotations

from catalog.domain.uri import file_path


def years(library, name):
    """First and last day of a person, as the pages show them."""
    library.review.status()  # catches up with decisions of other programs
    summary = library.browse.person(name).summary
    return summary.first_taken[:10], summary.last_taken[:10]


def test_the_years_of_a_person_follow_the_dates_of_photos(library):
    """Set, shifted, and undone, by the commands."""
    person_id = library.review.cards()[0].person.person_id
    one, *_ = sorted(face.uri for face in library.faces(person_id))
    photo = file_path(one).decode()
    library.decisions.set_date(photo.rpartition("/")[0], "2004-05-06T10:00:00")
    assert years(library, person_id) == ("2004-05-06", "2004-05-06")
    earlier = library.decisions.set_date(photo, "1999").number
    assert years(library, person_id) == ("1999-01-01", "2004-05-06")
    library.decisions.undo(earlier)
    assert years(library, person_id) == ("2004-05-06", "2004-05-06")
    shift = library.decisions.shift_dates(photo, "+400d").number
    assert years(library, person_id) == ("2004-05-06", "2005-06-10")
    undo = library.decisions.undo(shift)
    assert years(library, person_id) == ("2004-05-06", "2004-05-06")
    library.decisions.undo(undo)
    assert years(library, person_id) == ("2004-05-06", "2005-06-10")
