"""The expected effect of a sequence of decisions, computed without any code of the catalogue.

The oracle keeps every operation and folds those that are in force, oldest first. Faces are labels, persons are ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Face = tuple[str, int]
"""Name of the photo, and the number of the face on it."""


@dataclass
class Operation:
    """``faces`` are those decided on. ``ended`` are faces whose rejections a merge ends."""

    number: int
    verb: str
    person: str | None = None
    other: str | None = None
    value: object = None
    faces: tuple[Face, ...] = ()
    ended: tuple[Face, ...] = ()
    login: str = ""
    undone_by: int | None = None
    undoes: int | None = None


@dataclass
class Promises:
    """The state that the operations in force promise. Persons are ids at the end of all merges."""

    person: dict[Face, str] = field(default_factory=dict)
    not_person: set[tuple[Face, str]] = field(default_factory=set)
    not_faces: set[Face] = field(default_factory=set)
    apart: set[frozenset[str]] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    name: dict[str, str | None] = field(default_factory=dict)
    hidden: dict[str, bool] = field(default_factory=dict)
    born: dict[str, str | None] = field(default_factory=dict)

    def end_of(self, person: str) -> str:
        while person in self.merged:
            person = self.merged[person]
        return person


class Oracle:
    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.forgotten_faces: set[Face] = set()
        self.forgotten_persons: set[str] = set()
        self.reused_numbers: list[int] = []
        self._numbers: set[int] = set()

    def add(self, operation: Operation) -> None:
        if operation.number in self._numbers:
            self.reused_numbers.append(operation.number)
        self._numbers.add(operation.number)
        self.operations.append(operation)

    def undo(self, number: int, by: int) -> None:
        """Undo an operation. If it is an undo itself, what it undid is in force again, and so on."""
        target = next(candidate for candidate in self.operations if candidate.number == number)
        target.undone_by = by
        self.add(Operation(by, "undo", undoes=number))
        self._turn(target)

    def _turn(self, operation: Operation) -> None:
        """An undo went out of force: its target is in force again; if that is an undo, its target is not."""
        if operation.undoes is None:
            return
        target = next((candidate for candidate in self.operations if candidate.number == operation.undoes), None)
        if target is None:
            return
        target.undone_by = None
        if target.undoes is not None:
            inner = next((candidate for candidate in self.operations if candidate.number == target.undoes), None)
            if inner is not None:
                inner.undone_by = target.number
                self._turn(inner)

    def forget(self, persons: Iterable[str], faces: Iterable[Face]) -> None:
        """Drop everything about these persons and faces."""
        self.forgotten_persons |= set(persons)
        self.forgotten_faces |= set(faces)
        remaining = []
        for operation in self.operations:
            if {operation.person, operation.other} & self.forgotten_persons:
                continue
            if operation.verb in ("confirm", "reject", "not_a_face") and set(operation.faces) & self.forgotten_faces:
                continue
            operation.faces = tuple(face for face in operation.faces if face not in self.forgotten_faces)
            operation.ended = tuple(face for face in operation.ended if face not in self.forgotten_faces)
            remaining.append(operation)
        numbers = {operation.number for operation in remaining}
        for operation in remaining:
            if operation.undone_by not in numbers:
                operation.undone_by = None
        self.operations = remaining

    def promises(self) -> Promises:
        state = Promises()
        for operation in self.operations:
            if operation.undone_by is None and operation.verb != "undo":
                _apply(state, operation)
        state.person = {face: state.end_of(person) for face, person in state.person.items()}
        state.not_person = {
            (face, state.end_of(person))
            for face, person in state.not_person
            if state.person.get(face) != state.end_of(person)
        }
        state.apart = {frozenset(map(state.end_of, pair)) for pair in state.apart}
        state.apart = {pair for pair in state.apart if len(pair) == 2}
        return state


def _apply(state: Promises, operation: Operation) -> None:
    person, other_person = operation.person or "", operation.other or ""
    if operation.verb in ("split", "apart"):
        state.apart.add(frozenset((person, other_person)))
    match operation.verb:
        case "name":
            state.name[state.end_of(person)] = _text(operation.value)
        case "hide":
            state.hidden[state.end_of(person)] = bool(operation.value)
        case "born":
            state.born[state.end_of(person)] = _text(operation.value)
        case "merge":
            for values in (state.name, state.born):
                values[person] = values.get(person) or values.get(other_person)
            state.merged[other_person] = person
            _end_rejections(state, operation.ended, person)
    for face in operation.faces:
        _apply_to_face(state, operation, face)


def _apply_to_face(state: Promises, operation: Operation, face: Face) -> None:
    person, other_person = operation.person or "", operation.other or ""
    match operation.verb:
        case "not_a_face":
            state.person.pop(face, None)
            state.not_faces.add(face)
        case "reject":
            if face in state.person and state.end_of(state.person[face]) == state.end_of(person):
                del state.person[face]
            state.not_person.add((face, person))
        case "confirm" | "merge":
            _confirm(state, face, person)
        case "split":
            _confirm(state, face, other_person)
            state.not_person.add((face, person))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _confirm(state: Promises, face: Face, person: str) -> None:
    state.not_faces.discard(face)
    state.person[face] = person
    _end_rejections(state, (face,), person)


def _end_rejections(state: Promises, faces: Iterable[Face], person: str) -> None:
    for face in faces:
        state.not_person = {
            pair for pair in state.not_person if pair[0] != face or state.end_of(pair[1]) != state.end_of(person)
        }
