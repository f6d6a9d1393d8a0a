"""TagResource, UntagResource and ListTagsForResource. Only collections can have tags."""

from __future__ import annotations

import re

from sqlalchemy import delete, func, insert, select

from catalog.endpoint import errors
from catalog.endpoint.collections import Collections
from catalog.endpoint.database import writing
from catalog.endpoint.protocol import Call, Members
from catalog.engines.local.tables import gallery_tags

MAX_TAGS = 200
_ARN = re.compile(
    r"(?:arn:)?aws[\w-]*:rekognition:(?P<region>[a-z0-9-]*):(?P<account>\d*):collection/(?P<collection_id>[a-zA-Z0-9_.\-]+)"
)


class Tags:
    """TagResource, UntagResource and ListTagsForResource."""

    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    def tag(self, call: Call) -> Members:
        gallery_id = self._gallery_id(call)
        tags = call.members["Tags"]
        of_collection = gallery_tags.c.collection_id == gallery_id
        rows = [{"collection_id": gallery_id, "name": name, "value": value} for name, value in tags.items()]
        with writing(self._collections.database) as connection:
            connection.execute(delete(gallery_tags).where(of_collection, gallery_tags.c.name.in_(list(tags))))
            if rows:
                connection.execute(insert(gallery_tags), rows)
            count = connection.scalar(select(func.count()).select_from(gallery_tags).where(of_collection)) or 0
            if count > MAX_TAGS:
                raise errors.quota_exceeded(f"A resource can have {MAX_TAGS} tags at most.")
        return {}

    def untag(self, call: Call) -> Members:
        gallery_id = self._gallery_id(call)
        with writing(self._collections.database) as connection:
            connection.execute(
                delete(gallery_tags).where(
                    gallery_tags.c.collection_id == gallery_id, gallery_tags.c.name.in_(call.members["TagKeys"])
                )
            )
        return {}

    def list_tags(self, call: Call) -> Members:
        table = gallery_tags.c
        query = select(table.name, table.value).where(table.collection_id == self._gallery_id(call))
        with self._collections.database.connect() as connection:
            return {"Tags": {row.name: row.value for row in connection.execute(query.order_by(table.name))}}

    def _gallery_id(self, call: Call) -> str:
        """The gallery of an ARN, with or without "arn:" (see CreateCollection). Raises WireError."""
        arn = call.members["ResourceArn"]
        match = _ARN.fullmatch(arn)
        if match is None:
            raise errors.invalid_parameter()
        if match["region"] not in {"", call.region} or match["account"] not in {"", call.account}:
            raise errors.resource_not_found(arn)
        try:
            return self._collections.find(call, match["collection_id"]).gallery_id
        except errors.WireError:
            raise errors.resource_not_found(arn) from None
