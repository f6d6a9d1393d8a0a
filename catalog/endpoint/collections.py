"""CreateCollection, DeleteCollection, DescribeCollection and ListCollections."""

from __future__ import annotations

import hashlib
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, delete, func, insert, not_, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from catalog.endpoint import errors
from catalog.endpoint.database import writing
from catalog.endpoint.protocol import Call, Members
from catalog.endpoint.tokens import page_token, read_page_token
from catalog.engines.local.gallery import LocalGallery
from catalog.engines.local.gallery_model import are_comparable
from catalog.engines.local.tables import gallery_collections, gallery_faces, gallery_tags, gallery_users

_PAGE = 1000


def face_model_version(model: str) -> str:
    """A FaceModelVersion: digits and dots, as the service model requires. It differs between face models."""
    return f"1.{int(hashlib.sha256(model.encode()).hexdigest()[:6], 16)}"


def collection_arn(call: Call, collection_id: str) -> str:
    return f"arn:aws:rekognition:{call.region}:{call.account}:collection/{collection_id}"


def gallery_id(call: Call, collection_id: str) -> str:
    """The gallery of a collection: region, account and id, because these three together are unique at Amazon."""
    return f"{_owner(call)}{collection_id}"


def _owner(call: Call) -> str:
    return f"{call.region}/{call.account}/"


@dataclass(frozen=True, slots=True)
class Collection:
    """One row of ``gallery_collections``.

    ``collection_id`` is the client's name of the collection, ``gallery_id`` its key in the database. Galleries that
    ``catalog scan`` or earlier versions created have no region and account. Clients of every region see them.
    """

    collection_id: str
    gallery_id: str
    model: str
    instance: str
    created_at: datetime

    @property
    def face_model_version(self) -> str:
        return face_model_version(self.model)


class Collections:
    """The collections of one database, and the operations on them."""

    def __init__(self, database: Engine, model: str) -> None:
        """``model``: face model recorded with new collections."""
        self.database = database
        self.model = model
        self._galleries: dict[tuple[str, str], LocalGallery] = {}
        self._lock = threading.Lock()

    def find(self, call: Call, collection_id: str | None = None) -> Collection:
        """The collection of a call, or another one of the same region and account. Raises WireError if unknown."""
        collection_id = call.members["CollectionId"] if collection_id is None else collection_id
        own = gallery_id(call, collection_id)
        table = gallery_collections.c
        query = select(table.collection_id, table.model, table.instance, table.created_at)
        with self.database.connect() as connection:
            rows = connection.execute(query.where(table.collection_id.in_([own, collection_id]))).all()
        if not rows:
            raise errors.collection_not_found(collection_id)
        row = max(rows, key=lambda row: row.collection_id == own)
        created_at = datetime.fromisoformat(row.created_at)
        return Collection(collection_id, row.collection_id, row.model, row.instance, created_at)

    def gallery(self, collection: Collection) -> LocalGallery:
        """The gallery of a collection. Galleries stay open, because each holds its vectors in memory.

        Raises WireError if the collection belongs to another face model. Such a collection can still be described,
        listed and deleted.
        """
        if not are_comparable(collection.model, self.model):
            raise errors.invalid_parameter(
                f"The collection id: {collection.collection_id} has face model version "
                f"{collection.face_model_version}, which is not the one in use: {face_model_version(self.model)}"
            )
        key = (collection.gallery_id, collection.instance)
        with self._lock:
            gallery = self._galleries.get(key)
            if gallery is None:
                gallery = LocalGallery(self.database, collection.gallery_id, self.model)
                self._galleries[key] = gallery
            return gallery

    def create(self, call: Call) -> Members:
        collection_id = call.members["CollectionId"]
        key = gallery_id(call, collection_id)
        row = {
            "collection_id": key,
            "model": self.model,
            "instance": str(uuid.uuid4()),
            "revision": 0,
            "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        tags = [
            {"collection_id": key, "name": name, "value": value} for name, value in call.members.get("Tags", {}).items()
        ]
        shared = select(gallery_collections.c.collection_id).where(gallery_collections.c.collection_id == collection_id)
        try:
            with writing(self.database) as connection:
                if connection.execute(shared).first() is not None:
                    raise errors.collection_exists(collection_id)
                connection.execute(insert(gallery_collections), row)
                if tags:
                    connection.execute(insert(gallery_tags), tags)
        except IntegrityError:
            raise errors.collection_exists(collection_id) from None
        # CreateCollection is the only operation whose ARN Amazon prints without "arn:".
        arn = collection_arn(call, collection_id).removeprefix("arn:")
        return {"StatusCode": 200, "CollectionArn": arn, "FaceModelVersion": face_model_version(self.model)}

    def delete(self, call: Call) -> Members:
        collection = self.find(call)
        with writing(self.database) as connection:
            deleted = connection.execute(
                delete(gallery_collections).where(gallery_collections.c.collection_id == collection.gallery_id)
            )
        if not deleted.rowcount:
            raise errors.collection_not_found(collection.collection_id)
        with self._lock:
            self._galleries = {
                key: gallery for key, gallery in self._galleries.items() if key[0] != collection.gallery_id
            }
        return {"StatusCode": 200}

    def describe(self, call: Call) -> Members:
        collection = self.find(call)
        counts = [
            select(func.count()).select_from(table).where(table.c.collection_id == collection.gallery_id)
            for table in (gallery_faces, gallery_users)
        ]
        with self.database.connect() as connection:
            faces, users = (connection.scalar(count) for count in counts)
        return {
            "FaceCount": faces,
            "UserCount": users,
            "FaceModelVersion": collection.face_model_version,
            "CollectionARN": collection_arn(call, collection.collection_id),
            "CreationTimestamp": collection.created_at,
        }

    def list_collections(self, call: Call) -> Members:
        limit = call.members.get("MaxResults") or _PAGE
        table = gallery_collections.c
        query = select(table.collection_id, table.model, table.created_at, table.instance)
        is_own = table.collection_id.startswith(_owner(call), autoescape=True)
        query = query.where(or_(is_own, not_(table.collection_id.contains("/"))))
        listing = f"ListCollections/{_owner(call)}"
        if "NextToken" in call.members:
            last = read_page_token(listing, call.members["NextToken"])
            query = query.where(tuple_(table.created_at, table.instance) > tuple_(*last))
        query = query.order_by(table.created_at, table.instance).limit(limit + 1)
        with self.database.connect() as connection:
            rows = connection.execute(query).all()
        page = rows[:limit]
        has_more = len(rows) > limit
        return {
            "CollectionIds": [row.collection_id.removeprefix(_owner(call)) for row in page],
            "FaceModelVersions": [face_model_version(row.model) for row in page],
            "NextToken": page_token(listing, page[-1].created_at, page[-1].instance) if has_more else None,
        }
