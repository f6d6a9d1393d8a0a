"""Find a person by reference photos; crops and images of photos."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from catalog.app.photo_input import PhotoInput, ReferenceFace, name_of_photo
from catalog.app.resources import Resources
from catalog.domain.charges import Operation
from catalog.domain.content_hash import sha256_of
from catalog.domain.errors import NoFaceError, PhotoError, SourceError, UsageError
from catalog.domain.faces import BoundingBox, Face
from catalog.domain.local_day import Period
from catalog.domain.source import Content
from catalog.domain.uri import display
from catalog.identities.matching.find_person import FindResult, PersonQuery, Reference, find_faces
from catalog.images.crop import cut_out
from catalog.store.catalogued_faces import CataloguedFace
from catalog.store.people import find_person
from catalog.store.photos import locations_of_content

_WHOLE_PHOTO = BoundingBox(0, 0, 1, 1)


def reference_faces(resources: Resources, photo: PhotoInput, name: str | None) -> tuple[Face, ...]:
    analysis = resources.engine.analyze(resources.open_file(photo))
    resources.charge("find-person", analysis.charges)
    if not analysis.faces:
        raise NoFaceError(
            f"{name_of_photo(name or photo)} shows no face.", remedy="Use a photo with a larger or sharper face."
        )
    return analysis.faces


def find(
    resources: Resources,
    references: Sequence[PhotoInput | ReferenceFace],
    *,
    negatives: Sequence[PhotoInput | ReferenceFace],
    person: str | None,
    threshold: float | None,
    limit: int | None,
    since: date | str | None,
    until: date | str | None,
) -> FindResult:
    if not references and person is None:
        raise UsageError("There is no person to search for.", remedy="Give a reference photo or a person.")
    # Everything that can be refused is refused before a paid call.
    period = Period.parse(since, until)
    with resources.reading() as database, database.read() as connection:
        row = find_person(connection, person) if person is not None else None
    settings = resources.settings.find
    query = PersonQuery(
        references=[_reference(resources, reference) for reference in references],
        negatives=[_reference(resources, negative) for negative in negatives],
        person=row,
        threshold=settings.threshold if threshold is None else threshold,
        limit=settings.limit if limit is None else limit,
        period=period,
    )
    return find_faces(
        resources.database,
        resources.engine,
        query,
        gallery=resources.gallery,
        users=resources.engine.user_vectors,
        on_charges=lambda charges: resources.charge("find-person", charges),
    )


def price(resources: Resources, references: int) -> Decimal:
    """US dollars of a search with so many photos: user vectors and faces are searched once for each."""
    if not resources.configured_engine.capabilities.is_paid:
        return Decimal(0)
    operations = [Operation.SEARCH_FACES_BY_IMAGE]
    if resources.configured_engine.capabilities.has_user_vectors:
        operations.append(Operation.SEARCH_USERS_BY_IMAGE)
    return sum((resources.quote(operation, references).dollars for operation in operations), Decimal(0))


def crop(resources: Resources, face: CataloguedFace, side: int) -> bytes:
    return cut_out(resources.open_photo(_bytes_of(resources, face.sha256)), face.box, side=side)


def crop_photo(resources: Resources, photo: PhotoInput, box: BoundingBox, side: int) -> bytes:
    return cut_out(resources.open_file(photo), box, side=side)


def image(resources: Resources, sha256: str, max_side: int) -> bytes:
    photo = resources.open_photo(_bytes_of(resources, sha256))
    return cut_out(photo, _WHOLE_PHOTO, padding=0, side=max_side)


def original(resources: Resources, sha256: str) -> tuple[str, bytes]:
    """The uri and the bytes of a photo's file. Raises PhotoError and SourceError."""
    uri, content = _content_of(resources, sha256)
    return uri, content.data


def _bytes_of(resources: Resources, sha256: str) -> bytes:
    """The photo's bytes, to be decoded. Raises PhotoError and SourceError."""
    return _content_of(resources, sha256)[1].oriented_data


def _content_of(resources: Resources, sha256: str) -> tuple[str, Content]:
    """The photo at the first location that can be read and has this content still.

    Raises what the last location raised. A file that was changed since the scan is another photo: PhotoError.
    """
    with resources.reading() as database, database.read() as connection:
        locations = locations_of_content(connection, sha256)
    problem: PhotoError | SourceError = PhotoError(f'The photo "{sha256[:8]}" has no location where it can be read.')
    for location in locations:
        if location.missing_since is not None:
            continue
        try:
            content = resources.read_location(location)
        except (PhotoError, SourceError) as error:
            problem = error
            continue
        if sha256_of(content.data) == sha256:
            return location.uri, content
        problem = PhotoError(f'The file "{display(location.uri)}" has changed since the scan.')
    raise problem


def _reference(resources: Resources, reference: PhotoInput | ReferenceFace) -> Reference:
    if not isinstance(reference, ReferenceFace):
        reference = ReferenceFace(reference)
    path = str(reference.photo) if isinstance(reference.photo, str | Path) else ""
    return Reference(resources.open_file(reference.photo), reference.box, reference.name or path)
