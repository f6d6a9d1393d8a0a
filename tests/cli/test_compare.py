"""`catalog compare` and `catalog analyze` on real portraits, and their JSON in Amazon Rekognition's shape."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.validate import ParamValidator
from PIL import Image


@pytest.fixture(scope="module")
def model():
    return botocore.session.get_session().get_service_model("rekognition")


def complaints(model, operation, body):
    """Violations of botocore's service model in a response."""
    shape = model.operation_model(operation).output_shape
    return ParamValidator().validate(body, shape).generate_report()


def test_the_same_man_matches(catalog, portraits):
    """Two portraits of one man are a match, at a high similarity."""
    answer = catalog("compare", portraits / "obama_1.jpg", portraits / "obama_2.jpg")
    assert answer.code == 0
    assert answer.out.startswith("match")


def test_two_men_do_not_match(catalog, portraits, model):
    """No match is exit 0; the other face is listed as unmatched."""
    answer = catalog("compare", portraits / "obama_1.jpg", portraits / "biden.jpg", "--json")
    assert answer.code == 0
    assert answer.json["FaceMatches"] == []
    assert len(answer.json["UnmatchedFaces"]) == 1
    assert complaints(model, "CompareFaces", answer.json) == ""


def test_analyze_prints_the_json_of_rekognition(catalog, portraits, model):
    """One photo gives one FaceDetails object that botocore's model accepts."""
    answer = catalog("analyze", portraits / "astronaut.jpg", "--json")
    assert answer.code == 0
    assert complaints(model, "DetectFaces", answer.json) == ""
    (face,) = answer.json["FaceDetails"]
    assert face["Gender"]["Value"] == "Female"
    assert face["Emotions"][0]["Type"] == "HAPPY"
    assert face["Smile"]["Value"] is True


def test_analyze_of_several_photos_prints_a_list_with_their_names(catalog, portraits):
    """Each object of the list names its photo."""
    answer = catalog("analyze", portraits / "astronaut.jpg", portraits / "biden.jpg", "--json")
    assert [entry["Photo"].rpartition("/")[2] for entry in answer.json] == ["astronaut.jpg", "biden.jpg"]


def test_analyze_creates_no_catalogue(catalog, portraits, guarded_home):
    """No file is written, not even an empty database."""
    catalog("analyze", portraits / "astronaut.jpg")
    catalog("compare", portraits / "obama_1.jpg", portraits / "obama_2.jpg")
    assert not list(guarded_home.rglob("*.sqlite3"))


def test_a_photo_without_a_face_is_a_sentence_and_exit_code_2(catalog, portraits, tmp_path):
    """Compare needs a face on both photos. The message names the photo without a face."""
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "grey.png")
    answer = catalog("compare", tmp_path / "grey.png", portraits / "biden.jpg")
    assert answer.code == 2
    assert "no face" in answer.err


def test_an_unreadable_photo_is_a_sentence_and_exit_code_2(catalog, portraits):
    """The message names the file."""
    answer = catalog("analyze", portraits / "none.jpg")
    assert answer.code == 2
    assert "none.jpg" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze", "obama_1.jpg", "--annotate", "obama_1.jpg"],
        ["analyze", "obama_1.jpg", "--annotate", "biden.jpg"],
        ["compare", "obama_1.jpg", "biden.jpg", "--annotate", "biden.jpg"],
        ["find-person", "obama_1.jpg", "--html", "biden.jpg"],
        ["report", "people", "--format", "csv", "--output", "biden.jpg"],
        ["sql", "SELECT 1", "--output", "biden.jpg"],
    ],
    ids=lambda arguments: f"{arguments[0]} {arguments[-1]}",
)
def test_an_output_never_replaces_a_photo(catalog, portraits, tmp_path, monkeypatch, arguments):
    """Neither one of the command's own photos nor another one."""
    for name in ("obama_1.jpg", "biden.jpg"):
        (tmp_path / name).write_bytes((portraits / name).read_bytes())
    catalog("scan", tmp_path)
    monkeypatch.chdir(tmp_path)
    answer = catalog(*arguments)
    assert answer.code == 2
    assert "is a photo, which is never replaced" in answer.err
    for name in ("obama_1.jpg", "biden.jpg"):
        assert (tmp_path / name).read_bytes() == (portraits / name).read_bytes()


def test_a_drawn_picture_may_be_replaced(catalog, portraits, tmp_path):
    """A picture that this program drew is no photo of the user."""
    for _ in range(2):
        assert catalog("analyze", portraits / "biden.jpg", "--annotate", tmp_path / "drawn.jpg").code == 0
