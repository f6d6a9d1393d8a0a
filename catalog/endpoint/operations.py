"""The table of operations: Amazon's name, and the method that performs it."""

from __future__ import annotations

from sqlalchemy import Engine

from catalog.endpoint.collections import Collections
from catalog.endpoint.faces import Faces
from catalog.endpoint.fault_injection import FaultPlan
from catalog.endpoint.images import ImageReader
from catalog.endpoint.local_engine_access import LocalEngineAccess
from catalog.endpoint.search import Searches
from catalog.endpoint.service import Handler
from catalog.endpoint.tags import Tags
from catalog.endpoint.user_operations import UserOperations
from catalog.endpoint.users import UserStore


def build_handlers(database: Engine, images: ImageReader, plan: FaultPlan, provider: str = "cpu") -> dict[str, Handler]:
    """The 21 operations on one database, by Amazon's names."""
    engine = LocalEngineAccess(database, provider)
    collections = Collections(database, engine.model)
    tags = Tags(collections)
    users = UserStore(database, associate_delay=plan.associate_delay)
    searches = Searches(collections, engine, images, consistency_delay=plan.consistency_delay)
    faces = Faces(collections, users, engine, images)
    user_operations = UserOperations(collections, users, engine, images, searches)
    return {
        "CreateCollection": collections.create,
        "DeleteCollection": collections.delete,
        "DescribeCollection": collections.describe,
        "ListCollections": collections.list_collections,
        "IndexFaces": faces.index,
        "ListFaces": faces.list_faces,
        "DeleteFaces": faces.delete,
        "SearchFaces": searches.by_face,
        "SearchFacesByImage": searches.by_image,
        "DetectFaces": faces.detect,
        "CompareFaces": faces.compare,
        "CreateUser": user_operations.create,
        "DeleteUser": user_operations.delete,
        "ListUsers": user_operations.list_users,
        "AssociateFaces": user_operations.associate,
        "DisassociateFaces": user_operations.disassociate,
        "SearchUsers": user_operations.search,
        "SearchUsersByImage": user_operations.search_by_image,
        "TagResource": tags.tag,
        "UntagResource": tags.untag,
        "ListTagsForResource": tags.list_tags,
    }
