"""The users of collections and their associated faces."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from catalog.endpoint import errors
from catalog.endpoint.database import writing
from catalog.engines.local.tables import gallery_user_faces, gallery_users

CREATED, UPDATING, ACTIVE = "CREATED", "UPDATING", "ACTIVE"
MAX_FACES_OF_USER = 100
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class User:
    """A user with the current ``status``. Lists are ordered by ``created_at``; Amazon documents no order."""

    user_id: str
    status: str
    created_at: str


class UserStore:
    """Reads and writes ``gallery_users`` and ``gallery_user_faces``. Knows nothing of the wire protocol."""

    def __init__(self, database: Engine, *, associate_delay: float = 0.0) -> None:
        """``associate_delay``: seconds for which a user stays UPDATING after its faces changed."""
        self._database = database
        self._delay = timedelta(seconds=associate_delay)
        self.changing = threading.RLock()
        """Lock for code that reads the user of a face and then changes it."""

    def find(self, gallery_id: str, user_id: str) -> User:
        """Raises WireError if the user does not exist."""
        users = self.named(gallery_id, [user_id])
        if not users:
            raise errors.user_not_found(user_id)
        return users[0]

    def named(self, gallery_id: str, user_ids: Sequence[str]) -> list[User]:
        """The existing users among ``user_ids``, in no defined order."""
        query = select(gallery_users).where(
            gallery_users.c.collection_id == gallery_id, gallery_users.c.user_id.in_(user_ids)
        )
        with self._database.connect() as connection:
            return [self._user(row) for row in connection.execute(query).mappings()]

    def page(self, gallery_id: str, after: Sequence[str | int] | None, limit: int) -> list[User]:
        """Users, oldest first. ``after``: (created_at, user_id) of the last user of the previous page."""
        table = gallery_users.c
        query = select(gallery_users).where(table.collection_id == gallery_id)
        if after:
            query = query.where(tuple_(table.created_at, table.user_id) > tuple_(*after))
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(table.created_at, table.user_id).limit(limit)).mappings()
            return [self._user(row) for row in rows]

    def create(self, gallery_id: str, user_id: str) -> None:
        """Raises WireError if the user exists."""
        now = _now()
        row = {"collection_id": gallery_id, "user_id": user_id, "status": CREATED}
        try:
            with writing(self._database) as connection:
                connection.execute(insert(gallery_users), {**row, "created_at": now, "changed_at": now})
        except IntegrityError:
            raise errors.user_exists(user_id) from None

    def delete(self, gallery_id: str, user_id: str) -> None:
        """Delete a user; the faces stay in the collection. Raises WireError if the user does not exist."""
        is_user = (gallery_users.c.collection_id == gallery_id) & (gallery_users.c.user_id == user_id)
        with writing(self._database) as connection:
            if not connection.execute(delete(gallery_users).where(is_user)).rowcount:
                raise errors.user_not_found(user_id)

    def owners(self, gallery_id: str, face_ids: Sequence[str]) -> dict[str, str]:
        """User id by face id, for the faces that have a user."""
        table = gallery_user_faces.c
        owners: dict[str, str] = {}
        with self._database.connect() as connection:
            for start in range(0, len(face_ids), _CHUNK):
                query = select(table.face_id, table.user_id).where(
                    table.collection_id == gallery_id, table.face_id.in_(face_ids[start : start + _CHUNK])
                )
                owners.update((row.face_id, row.user_id) for row in connection.execute(query))
        return owners

    def face_count(self, gallery_id: str, user_id: str) -> int:
        table = gallery_user_faces.c
        query = select(func.count()).where(table.collection_id == gallery_id, table.user_id == user_id)
        with self._database.connect() as connection:
            return connection.scalar(query) or 0

    def associate(self, gallery_id: str, user_id: str, face_ids: Sequence[str]) -> None:
        now = _now()
        rows = [
            {"collection_id": gallery_id, "face_id": face_id, "user_id": user_id, "associated_at": now}
            for face_id in face_ids
        ]
        with writing(self._database) as connection:
            connection.execute(insert(gallery_user_faces), rows)
            _mark(connection, gallery_id, user_id, now)

    def disassociate(self, gallery_id: str, user_id: str, face_ids: Sequence[str]) -> None:
        table = gallery_user_faces.c
        with writing(self._database) as connection:
            connection.execute(
                delete(gallery_user_faces).where(
                    table.collection_id == gallery_id, table.user_id == user_id, table.face_id.in_(face_ids)
                )
            )
            _mark(connection, gallery_id, user_id, _now())

    def _user(self, row: RowMapping) -> User:
        status = row["status"]
        if status == UPDATING and datetime.now(UTC) - datetime.fromisoformat(row["changed_at"]) >= self._delay:
            status = ACTIVE
        return User(row["user_id"], status, row["created_at"])


def _mark(connection: Connection, gallery_id: str, user_id: str, now: str) -> None:
    connection.execute(
        update(gallery_users)
        .where(gallery_users.c.collection_id == gallery_id, gallery_users.c.user_id == user_id)
        .values(status=UPDATING, changed_at=now)
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
