"""The Rekognition engine against a real endpoint: money, trouble, versions, pictures."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from decimal import Decimal
from io import BytesIO

import boto3
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from catalog.domain.charges import Charge, Operation
from catalog.domain.errors import EngineError, LimitReached, NoFaceError, PhotoError
from catalog.domain.faces import BoundingBox, QualityFilter
from catalog.domain.photos import S3Address
from catalog.endpoint.fault_injection import FaultPlan
from catalog.engines.rekognition.budget import Budget
from catalog.engines.rekognition.pricing import Prices
from catalog.images.decode import open_image
from catalog.web.endpoint_server import open_endpoint
from tests.endpoint.wire import client_of, encode, group, no_face, portrait
from tests.engines.rekognition.conftest import TABLE, open_image_at


def photo(data):
    return open_image(data, max_side=2048)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def enroll(engine, name):
    data = portrait(name)
    return engine.enroll(photo(data), sha256(data))


@pytest.fixture
def engine(open_rekognition):
    engine = open_rekognition()
    yield engine
    engine.close()


# ------------------------------------------------------------------------------------------------ money


def test_every_paid_answer_carries_its_charge(engine):
    """One call each, at the price of the table; what is free carries none."""
    enrollment = enroll(engine, "obama_1")
    paid = {
        Operation.INDEX_FACES: enrollment.charges,
        Operation.DETECT_FACES: engine.analyze(photo(portrait("biden"))).charges,
        Operation.SEARCH_FACES: engine.neighbors(enrollment.faces[0].face_id, 80).charges,
        Operation.SEARCH_FACES_BY_IMAGE: engine.search(photo(portrait("biden")), 80).charges,
        Operation.COMPARE_FACES: engine.compare(photo(portrait("biden")), photo(group()), 80).charges,
    }
    assert paid == {operation: (Charge(operation, 1, Decimal("0.001")),) for operation in paid}


def test_nothing_is_called_beyond_the_budget(open_rekognition):
    """The endpoint never sees the call that was not allowed; what is free goes on."""
    with open_endpoint() as server, server.in_background() as url:
        engine = open_rekognition(url, budget=Budget(Prices(TABLE).quote, max_calls=2))
        enroll(engine, "obama_1")
        enroll(engine, "biden")
        with pytest.raises(LimitReached):
            engine.analyze(photo(portrait("biden")))
        assert len(list(engine.enrolled())) == 2
        paid = {o: n for (o, _), n in server.service.tally.items() if o in set(Operation)}
        assert paid == {"IndexFaces": 2}


# ------------------------------------------------------------------------------------------------ trouble


def test_with_faults_nothing_is_lost_and_nothing_enrolled_twice(open_rekognition):
    """One call in three fails or loses its answer, and searches are behind: the end is the same."""
    plan = FaultPlan(fail_rate=0.33, consistency_delay=0.2, seed=5)
    with open_endpoint(plan=plan) as server, server.in_background() as url:
        engine = open_rekognition(url)
        ids = [enroll(engine, name).faces[0].face_id for name in ("obama_1", "obama_2", "biden", "obama_1")]
        assert ids[0] == ids[3]
        assert {face.face_id for face in engine.enrolled()} == set(ids)
        time.sleep(0.2)
        assert [match.face_id for match in engine.neighbors(ids[0], 80).matches] == [ids[1]]
        assert any(error not in {"", "ResourceNotFoundException"} for _, error in server.service.tally)


def test_a_face_that_is_not_there_yet_is_waited_for(open_rekognition):
    """Searching right after enrolling succeeds, a little later."""
    with open_endpoint(plan=FaultPlan(consistency_delay=0.2)) as server, server.in_background() as url:
        engine = open_rekognition(url)
        face_id = enroll(engine, "obama_1").faces[0].face_id
        assert engine.neighbors(face_id, 80).matches == ()
        assert server.service.tally["SearchFaces", "InvalidParameterException"] >= 1


def test_throttling_is_survived(open_rekognition):
    """A service of one call per second answers four. Each call takes less than a second, also on a busy machine."""
    with open_endpoint(plan=FaultPlan(tps=1)) as server, server.in_background() as url:
        engine = open_rekognition(url)
        for _ in range(4):
            engine.analyze(photo(no_face()))
        assert server.service.tally["DetectFaces", ""] == 4
        assert server.service.tally["DetectFaces", "ProvisionedThroughputExceededException"] >= 1


def test_a_deleted_collection_is_told(engine, rekognition_url):
    """The collection existed when the engine was opened."""
    enroll(engine, "biden")
    client_of(rekognition_url).delete_collection(CollectionId=engine._collection)
    with pytest.raises(EngineError, match="ResourceNotFoundException") as error:
        enroll(engine, "obama_1")
    assert "catalog reconcile" in error.value.remedy


# ------------------------------------------------------------------------------------------------ versions


def test_the_model_names_the_collections_version(engine, rekognition_url):
    """``rekognition-`` and its FaceModelVersion."""
    client = client_of(rekognition_url)
    model = engine.model
    assert model == "rekognition-" + client.describe_collection(CollectionId=engine._collection)["FaceModelVersion"]


def test_the_pinned_version_is_accepted_and_another_refused(engine, open_rekognition):
    """With a sentence that says what to do."""
    assert open_rekognition(model=engine.model).model == engine.model
    with pytest.raises(EngineError, match=r'made by "rekognition-6\.0"') as error:
        enroll(open_rekognition(model="rekognition-6.0"), "biden")
    assert "engine.gallery" in error.value.remedy


# ------------------------------------------------------------------------------------------------ pictures


@pytest.mark.parametrize("kind", ["WEBP", "TIFF"])
def test_other_formats_are_converted(engine, kind):
    """And enrolled like any."""
    data = encode(Image.open(BytesIO(portrait("biden"))), kind)
    assert len(engine.enroll(photo(data), sha256(data)).faces) == 1


def test_boxes_come_back_in_the_photos_own_frame(engine):
    """A narrow photo is sent in the middle of a wider one; box and landmarks are of the photo."""
    face = Image.open(BytesIO(portrait("biden"))).convert("RGB")
    face.thumbnail((70, 100))
    data = encode(face, quality=95)
    assert min(face.size) < 80
    (face,) = engine.analyze(photo(data)).faces
    large = photo(portrait("biden"))
    (expected,) = engine.analyze(large).faces
    assert face.box.iou(expected.box) > 0.7
    for landmark, expected_landmark in zip(face.landmarks[:5], expected.landmarks[:5], strict=True):
        assert abs(landmark.x - expected_landmark.x) < 0.1
        assert abs(landmark.y - expected_landmark.y) < 0.1


def test_a_photo_that_is_too_small_is_refused_unsent(engine):
    """With the reason."""
    with pytest.raises(PhotoError, match="too small"):
        engine.analyze(photo(no_face(30, 300)))


def test_the_smaller_of_two_faces_can_be_searched_for(engine):
    """Though Amazon takes the largest."""
    biden = enroll(engine, "biden").faces[0].face_id
    obama = enroll(engine, "obama_1").faces[0].face_id
    larger, smaller = engine.analyze(photo(group())).faces
    assert [m.face_id for m in engine.search(photo(group()), 80, box=smaller.box).matches] == [biden]
    assert [m.face_id for m in engine.search(photo(group()), 80, box=larger.box).matches] == [obama]


def test_a_larger_neighbor_is_shut_out(engine):
    """If a wide cut-out shows a larger face, a tighter cut-out is tried; both are charged."""
    canvas = Image.new("RGB", (900, 700), (90, 110, 130))
    large = Image.open(BytesIO(portrait("obama_1"))).convert("RGB").resize((560, 700))
    small = Image.open(BytesIO(portrait("biden"))).convert("RGB")
    face = engine.analyze(photo(portrait("biden"))).faces[0].box
    edges = (face.left * small.width, face.top * small.height, face.right * small.width, face.bottom * small.height)
    small = small.crop(tuple(int(edge) for edge in edges))
    small.thumbnail((130, 130))
    canvas.paste(large, (0, 0))
    hidden = engine.analyze(photo(encode(canvas))).faces
    canvas.paste(small, (int(hidden[0].box.right * 900) + 4, int(hidden[0].box.top * 700)))
    faces = engine.analyze(photo(encode(canvas, quality=95))).faces
    if len(faces) != 2:
        pytest.skip("the detector does not see both faces of this montage")
    search = engine.search(photo(encode(canvas, quality=95)), 0, box=faces[1].box)
    assert search.probe.box.iou(faces[1].box) > 0.3
    assert sum(charge.calls for charge in search.charges) >= 1


def test_no_face_where_one_was_chosen(engine):
    """And none at all."""
    with pytest.raises(NoFaceError):
        engine.search(photo(portrait("biden")), 80, box=BoundingBox(0, 0, 0.05, 0.05))
    with pytest.raises(NoFaceError):
        engine.compare(photo(no_face()), photo(portrait("biden")), 80)


def test_a_search_that_finds_another_face_than_the_one_chosen_is_paid_for(engine):
    """There is no face at the place, and the error tells what it cost to learn that."""
    (face,) = engine.analyze(photo(portrait("biden"))).faces
    beside = replace(face.box, left=face.box.left + face.box.width)
    with pytest.raises(NoFaceError) as caught:
        engine.search(photo(portrait("biden")), 80, box=beside)
    assert {charge.operation for charge in caught.value.charges} == {Operation.SEARCH_FACES_BY_IMAGE}


def test_attributes_can_be_left_out(open_rekognition):
    """Then only DEFAULT is asked for."""
    engine = open_rekognition(attributes="none")
    (face,) = engine.analyze(photo(portrait("biden"))).faces
    assert face.attributes.gender is None
    assert face.attributes.emotions == ()
    assert len(face.landmarks) == 5


def test_the_quality_filter_is_amazons(open_rekognition):
    """A face of a few pixels is rejected by HIGH, with reasons."""
    small = Image.open(BytesIO(portrait("biden"))).convert("RGB")
    small.thumbnail((110, 110))
    canvas = Image.new("RGB", (640, 480), (120, 120, 120))
    canvas.paste(small, (280, 200))
    data = encode(canvas)
    enrollment = open_rekognition(quality_filter=QualityFilter.HIGH).enroll(photo(data), sha256(data))
    assert enrollment.faces == ()
    assert enrollment.rejected[0].reasons


def test_faces_of_other_programs_are_left_alone(engine, rekognition_url):
    """They are not listed and not matched: their external id is not a content hash."""
    face_id = enroll(engine, "obama_1").faces[0].face_id
    client_of(rekognition_url).index_faces(
        CollectionId=engine._collection, Image={"Bytes": portrait("obama_2")}, ExternalImageId="holiday.jpg"
    )
    assert [face.face_id for face in engine.enrolled()] == [face_id]
    assert engine.neighbors(face_id, 80).matches == ()


def test_a_face_of_a_user_can_be_removed(engine, rekognition_url):
    """It is let go first."""
    face_id = enroll(engine, "biden").faces[0].face_id
    client = client_of(rekognition_url)
    client.create_user(CollectionId=engine._collection, UserId="u")
    client.associate_faces(CollectionId=engine._collection, UserId="u", FaceIds=[face_id])
    assert engine.remove([face_id]) == {face_id}


# ------------------------------------------------------------------------------------------------ S3


@pytest.fixture
def s3():
    """A versioned bucket on a real S3 server; gives its address and a client."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
    client.create_bucket(Bucket="photos")
    yield url, client
    server.stop()


def test_a_large_photo_in_s3_is_passed_by_reference(credentials, open_rekognition, s3, monkeypatch):
    """Between 5 and 15 MB, in the collection's region, and only while it is still the photo that was read."""
    s3_url, client = s3
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_url)
    data = portrait("biden") + bytes(6 * 1024 * 1024)
    etag = client.put_object(Bucket="photos", Key="a b/ü.jpg", Body=data)["ETag"]
    opened = photo(data)
    address = S3Address("photos", "a b/ü.jpg", None, etag, "us-east-1")
    with open_endpoint(s3_url=s3_url) as server, server.in_background() as url:
        engine = open_rekognition(url)
        sent = []
        call = engine._client.call_paid

        def watch(operation, **members):
            sent.append(next(iter(members.get("Image", {"": 0}))))
            return call(operation, **members)

        monkeypatch.setattr(engine._client, "call_paid", watch)
        assert len(engine.analyze(replace(opened, address=address)).faces) == 1
        for changed in (
            replace(address, region="eu-west-1"),
            replace(address, etag='"another"'),
            replace(address, key="gone.jpg"),
        ):
            assert len(engine.analyze(replace(opened, address=changed)).faces) == 1
        assert len(engine.analyze(replace(photo(portrait("biden")), address=address)).faces) == 1
        assert sent == ["S3Object", "Bytes", "Bytes", "Bytes", "Bytes"]


def test_reopening_gives_all_the_pixels():
    """The fixture gives the engine the function of the opener."""
    data = encode(Image.new("RGB", (4000, 100)))
    assert max(open_image_at(data, 10_000).pixels.shape) == 4000
