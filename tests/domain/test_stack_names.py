"""File names of one exposure, and names that only look like it."""

from __future__ import annotations

import pytest

from catalog.domain.stack_names import are_one_by_name, stack_name


def are_one(one: str, other: str) -> bool:
    return are_one_by_name(stack_name(one), stack_name(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IMG_1.HEIC", "IMG_1.JPG"),
        ("DSC_0001.NEF", "dsc_0001.jpg"),
        ("IMG_0001.JPG", "IMG_E0001.JPG"),
        ("IMG_0001.HEIC", "IMG_E0001.JPG"),
        ("a.jpg", "a-edited.jpg"),
        ("a.jpg", "a-bearbeitet.jpg"),
        ("a.jpg", "a-modifié.jpg"),
        ("a.jpg", "a-modifie\u0301.jpg"),
        ("a.jpg", "a-ha editado.jpg"),
        ("a.jpg", "a-編集済み.jpg"),
        ("a(1).jpg", "a-edited(1).jpg"),
        ("a.dng", "a-Enhanced-NR.dng"),
        ("IMG_E0001.JPG", "IMG_0001-edited.JPG"),
    ],
)
def test_names_of_one_exposure(one: str, other: str) -> None:
    """Another format, or the tail of an edit in one of the languages of Google Takeout."""
    assert are_one(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IMG_1.jpg", "IMG_1(1).jpg"),
        ("IMG_1.jpg", "IMG_10.jpg"),
        ("IMG_1-edited.jpg", "IMG_1(1).jpg"),
        ("a.jpg", "a.jpeg"),
        ("a-2.jpg", "a-3.jpg"),
        ("IMG_E001.jpg", "IMG_001.jpg"),
        ("2019-07-04.jpg", "2019-07-05.jpg"),
    ],
)
def test_names_that_say_nothing(one: str, other: str) -> None:
    """A number in parentheses is a copy in one folder and another photo in the next one."""
    assert not are_one(one, other)


@pytest.mark.parametrize(
    ("name", "root", "copy"),
    [
        ("IMG_1(12).jpg", "img_1", "(12)"),
        ("IMG_1 copy 2.jpg", "img_1", "copy 2"),
        ("IMG_1 - Kopie.jpg", "img_1", "kopie"),
        ("IMG_1~2.jpg", "img_1", "~2"),
        ("party-150x150.jpg", "party", "150x150"),
        ("-edited.jpg", "-edited", ""),
        ("noending", "noending", ""),
        (".hidden", ".hidden", ""),
    ],
)
def test_the_root_is_the_name_without_its_tails(name: str, root: str, copy: str) -> None:
    """A name that is nothing but a tail keeps it."""
    assert (stack_name(name).root, stack_name(name).copy) == (root, copy)
