"""Decisions of a user about persons and faces: each method records one decision and returns its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection

from catalog.app import dating
from catalog.app.after_scan import assign_released_faces
from catalog.app.dating import DateDecision
from catalog.app.resources import Resources
from catalog.app.stacks import find_joined, find_stacked, refresh_stacks
from catalog.domain.decisions import Verb
from catalog.domain.errors import UsageError
from catalog.domain.people import clean_name
from catalog.identities.assignment.suggestions import Suggestion
from catalog.identities.decisions import undo as undoing
from catalog.identities.decisions import verbs
from catalog.identities.decisions.log import Decision, append, read_decision, read_decisions
from catalog.identities.decisions.replay import copy_from_other_galleries
from catalog.identities.decisions.stack_verbs import join_photos, part_photo
from catalog.store.catalogued_faces import CataloguedFace, find_face
from catalog.store.people import find_person, person_ids_of


class Decisions:
    """Decisions about persons (by id or exact name) and faces (by id, or how the id begins).

    Methods raise PersonError for an unknown person or face, and UsageError for a decision that changes nothing.
    A face that a decision leaves without a person is assigned again at once, unless that would cost money.
    """

    def __init__(self, resources: Callable[[], Resources]) -> None:
        self._resources = resources

    @contextmanager
    def _deciding(self) -> Iterator[tuple[Resources, Connection]]:
        resources = self._resources()
        with resources.database.begin() as connection:
            yield resources, connection

    def name(self, person: str, name: str | None) -> int:
        """Name a person, or rename it. None or an empty name removes the name."""
        with self._deciding() as (resources, connection):
            row = find_person(connection, person)
            if clean_name(name) is None and (row.name is None or (name or "").strip()):
                raise UsageError(f"{row} has no name to remove, and the new name has no readable character.")
            return verbs.name_person(connection, row, name, resources.stamp())

    def merge(self, canonical: str, merged: str, *, same_photo: bool = False) -> int:
        """Record that two persons are one. ``canonical`` keeps its id. The id of ``merged`` redirects to it.

        Raises PersonError if both are on one photo, unless ``same_photo``.
        """
        (number,) = self.merge_several(canonical, [merged], same_photo=same_photo)
        return number

    def merge_several(self, canonical: str, merged: Sequence[str], *, same_photo: bool = False) -> tuple[int, ...]:
        """Merge several persons into ``canonical``, all or none. Returns a number for each."""
        with self._deciding() as (resources, connection):
            return tuple(
                verbs.merge_persons(
                    connection,
                    find_person(connection, canonical),
                    find_person(connection, merged_person),
                    resources.stamp(),
                    same_photo=same_photo,
                )
                for merged_person in merged
            )

    def split(self, person: str, faces: Sequence[str]) -> int:
        """Record that some faces of a person are another person, who gets a new id; ``history`` names it."""
        with self._deciding() as (resources, connection):
            row = find_person(connection, person)
            chosen = [_face(resources, connection, face) for face in faces]
            number, _ = verbs.split_person(connection, row, chosen, resources.stamp())
            return number

    def separate(self, one: str, other: str) -> int:
        """Record that two persons are two. A machine never merges them, and they are not suggested as one person."""
        with self._deciding() as (resources, connection):
            persons = find_person(connection, one), find_person(connection, other)
            return verbs.separate_persons(connection, *persons, resources.stamp())

    def confirm(self, face: str, person: str, *, same_photo: bool = False) -> int:
        """Record that a face is this person.

        Raises PersonError if another face of the photo is this person, unless ``same_photo``.
        """
        with self._deciding() as (resources, connection):
            row, shown = find_person(connection, person), _face(resources, connection, face)
            number = verbs.confirm_face(connection, shown, row, resources.stamp(), same_photo=same_photo)
        assign_released_faces(resources, number)
        return number

    def reject(self, face: str, person: str | None = None) -> int:
        """Record that a face is not this person; default: the person it is assigned to."""
        with self._deciding() as (resources, connection):
            shown = _face(resources, connection, face)
            wanted = person or shown.person_id
            if wanted is None:
                raise UsageError(
                    f"Face {shown.face_id[:8]} is unassigned.", remedy="Name the person that the face is not."
                )
            number = verbs.reject_face(connection, shown, find_person(connection, wanted), resources.stamp())
        assign_released_faces(resources, number)
        return number

    def not_a_face(self, face: str) -> int:
        """Record that the detection is not a face; it is left out of all answers."""
        with self._deciding() as (resources, connection):
            return verbs.mark_not_a_face(connection, _face(resources, connection, face), resources.stamp())

    def hide(self, person: str) -> int:
        """Leave a person out of lists and reports."""
        return self._set_hidden(person, True)

    def unhide(self, person: str) -> int:
        """Show a hidden person again."""
        return self._set_hidden(person, False)

    def _set_hidden(self, person: str, hidden: bool) -> int:
        with self._deciding() as (resources, connection):
            row = find_person(connection, person)
            if row.hidden == hidden:
                raise UsageError(f"{row} is already {'hidden' if hidden else 'shown'}.")
            return verbs.set_hidden(connection, row, hidden, resources.stamp())

    def birth_date(self, person: str, day: date | None) -> int:
        """Record a person's day of birth; None removes it. Earlier photos never show this person."""
        if day is not None and day > datetime.now().astimezone().date():
            raise UsageError(f"The day {day} is in the future.")
        with self._deciding() as (resources, connection):
            row = find_person(connection, person)
            if row.birth_date == (day.isoformat() if day else None):
                raise UsageError(f"The birth date of {row} is already {row.birth_date or 'unknown'}.")
            number = verbs.set_birth_date(connection, row, day, resources.stamp())
        assign_released_faces(resources, number)
        return number

    def set_date(self, target: str | Path, date: str) -> DateDecision:
        """Record when a photo, or each photo of a folder, was taken.

        ``target`` is a path, a uri, or how a content hash begins. ``date`` is a year, a month, a day, a time, or
        ``unknown``. The date survives scans of a changed file. Raises UsageError for a text that is no date, a target
        without a photo, and dates that the photos have already.
        """
        return dating.set_date(self._resources(), target, date)

    def shift_dates(self, target: str | Path, shift: str) -> DateDecision:
        """Correct a wrong camera clock: ``+1d2h`` adds 26 hours to the dates of a photo or folder.

        Dates without a time of day stay. Raises as :meth:`set_date`.
        """
        return dating.shift_dates(self._resources(), target, shift)

    def stack_dates(self, target: str | Path, first: str, last: str) -> DateDecision:
        """Date a stack of scanned photos, in the order of their names, evenly between two dates.

        The dates are estimates, as exact as the less exact of the two. Raises as :meth:`set_date`.
        """
        return dating.stack_dates(self._resources(), target, first, last)

    def answer(self, suggestion: Suggestion, *, is_yes: bool, name: str | None = None) -> int:
        """Answer a suggestion: merge or separate its persons, or confirm or reject its face.

        With ``name`` a yes also names the person, in the same transaction.
        """
        with self._deciding() as (resources, connection):
            stamp = resources.stamp()
            person = find_person(connection, suggestion.person.person_id)
            if suggestion.other is not None:
                other_person = find_person(connection, suggestion.other.person_id)
                if is_yes:
                    is_copy = suggestion.same_photo
                    number = verbs.merge_persons(connection, person, other_person, stamp, same_photo=is_copy)
                else:
                    number = verbs.separate_persons(connection, person, other_person, stamp)
            elif suggestion.face is not None:
                if not is_yes:
                    number = verbs.reject_face(connection, suggestion.face, person, stamp)
                elif suggestion.same_photo:
                    number = verbs.confirm_beside(connection, suggestion.face, person, stamp)
                else:
                    number = verbs.confirm_face(connection, suggestion.face, person, stamp)
            else:
                raise UsageError("The suggestion names neither another person nor a face.")
            if is_yes and name is not None:
                verbs.name_person(connection, find_person(connection, person.person_id), name, stamp)
        return number

    def part(self, photo: str) -> int:
        """Record that a photo is an exposure of its own: it leaves its stack and never belongs to one.

        ``photo`` is a path, a uri or the beginning of the content hash. Raises UsageError for a photo in no stack.
        """
        with self._deciding() as (resources, connection):
            number = part_photo(connection, find_stacked(connection, photo), resources.stamp())
        refresh_stacks(resources)
        return number

    def join(self, photos: Sequence[str]) -> int:
        """Record that photos are files of one exposure: they form a stack, with the stacks that they are in.

        Each is a path, a uri or the beginning of the content hash. Raises UsageError for a photo that is not in the
        catalogue, for fewer than two photos, for photos that are in one stack, and if the setting switches stacks off.
        """
        with self._deciding() as (resources, connection):
            number = join_photos(connection, find_joined(connection, resources, photos), resources.stamp())
        refresh_stacks(resources)
        return number

    def undo(self, number: int | None = None, *, user: str | None = None) -> int:
        """Revert a decision; default: the latest one that can be reverted, of one user if a login is given.

        An undo can be undone. Raises UsageError if later decisions build on it, or if it cannot be reverted.
        """
        return self.undo_decision(number, user=user)[0]

    def redo(self, *, user: str | None = None) -> int:
        """Undo the latest undo in force, of one user if a login is given. Raises as :meth:`undo`."""
        with self._deciding() as (resources, connection):
            undone_by, _ = undoing.redo(connection, resources.stamp(), decided_by=user)
        assign_released_faces(resources, undone_by)
        refresh_stacks(resources)
        return undone_by

    def undo_decision(self, number: int | None = None, *, user: str | None = None) -> tuple[int, Decision]:
        """As :meth:`undo`; returns the number of the undo and the decision that it reverted."""
        with self._deciding() as (resources, connection):
            undone_by, decision = undoing.undo(connection, number, resources.stamp(), decided_by=user)
        assign_released_faces(resources, undone_by)
        refresh_stacks(resources)
        return undone_by, decision

    def get(self, number: int) -> Decision:
        """The decision with this number. Raises UsageError."""
        with self._resources().reading() as database, database.read() as connection:
            decision = read_decision(connection, number)
        if decision is None:
            raise UsageError(f"No decision has the number {number}.", remedy="List them: catalog people history")
        return decision

    def history(self, person: str | None = None) -> tuple[Decision, ...]:
        """All decisions, oldest first; those about one person if one is given."""
        resources = self._resources()
        with resources.reading() as database, database.read() as connection:
            about = person_ids_of(connection, find_person(connection, person)) if person else None
            return tuple(read_decisions(connection, person_ids=about))

    def copy_from_other_galleries(self) -> int:
        """Give the faces of the gallery in use the persons that the same faces have in other galleries.

        Returns how many faces have another person now. Cannot be undone.
        """
        with self._deciding() as (resources, connection):
            chosen = resources.settings.engine
            stamp = resources.stamp()
            changed = copy_from_other_galleries(
                connection, engine=chosen.name, gallery=chosen.gallery, now=stamp.now, overrule=True
            )
            append(connection, Verb.MIGRATE, stamp, name=f"{chosen.name}/{chosen.gallery}")
            return changed


def _face(resources: Resources, connection: Connection, face: str) -> CataloguedFace:
    chosen = resources.settings.engine
    return find_face(connection, face, engine=chosen.name, gallery=chosen.gallery)
