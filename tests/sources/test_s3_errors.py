"""Each refusal of S3 has a sentence and a remedy of its own."""

from __future__ import annotations

import pytest

from catalog.domain.errors import PhotoError, SourceError
from catalog.sources.s3 import S3Source
from tests.sources.buckets import Faulty, photos


@pytest.mark.parametrize(
    ("status", "code", "sentence", "remedy"),
    [
        (403, "AccessDenied", 'Access to "s3://family/" is denied: Told so.', "s3:ListBucket"),
        (400, "ExpiredToken", "The AWS credentials have expired", "aws sso login"),
        (403, "InvalidAccessKeyId", "The AWS access key does not exist", "aws configure"),
        (403, "SignatureDoesNotMatch", "The AWS secret key is wrong", "aws configure"),
        (403, "RequestTimeTooSkewed", "The clock of this machine is wrong", "15 minutes"),
        (400, "AuthorizationHeaderMalformed", "The bucket is in another region", "region"),
        (403, "AllAccessDisabled", "All access to the bucket has been disabled", "owner"),
        (503, "SlowDown", "S3 asks to slow down", "later"),
        (500, "InternalError", "S3 has an internal error", "later"),
        (400, "SomethingNew", 'S3 cannot list "s3://family/": Told so (SomethingNew).', ""),
    ],
)
def test_each_refusal_of_the_bucket_has_its_sentence(
    faulty: Faulty, status: int, code: str, sentence: str, remedy: str
) -> None:
    """And is the source's fault, with what to do about it."""
    faulty.listing = (status, code)
    with pytest.raises(SourceError) as caught:
        list(S3Source("s3://family", endpoint_url=faulty.url, attempts=1).list())
    assert str(caught.value).startswith(sentence)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "code", "error", "sentence"),
    [
        (403, "AccessDenied", PhotoError, 'Access to "s3://family/a.jpg" is denied: Told so.'),
        (400, "InvalidRequest", PhotoError, '"s3://family/a.jpg" cannot be read: Told so (InvalidRequest).'),
        (405, "MethodNotAllowed", PhotoError, '"s3://family/a.jpg" disappeared'),
        (403, "InvalidObjectState", PhotoError, '"s3://family/a.jpg" is archived'),
        (400, "ExpiredToken", SourceError, "The AWS credentials have expired"),
        (503, "SlowDown", SourceError, "S3 asks to slow down"),
    ],
)
def test_each_refusal_of_an_object_is_told_apart(
    faulty: Faulty, status: int, code: str, error: type[Exception], sentence: str
) -> None:
    """A fault that the next photo would have too is the source's, any other one the photo's."""
    source = S3Source("s3://family", endpoint_url=faulty.url, attempts=1)
    (ref,) = photos(source)
    faulty.reading = (status, code)
    with pytest.raises(error) as caught:
        source.open(ref)
    assert str(caught.value).startswith(sentence)
