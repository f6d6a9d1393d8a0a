"""Malformed labels files: each is refused as a whole, with one sentence."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog.domain.errors import UsageError
from catalog.store.labels_file import parse_labels
from tests.store.named_photo import CONTENT, DAY

BOX = [0.1, 0.1, 0.3, 0.3]
BOX_KEYS = {"box_left": 0.1, "box_top": 0.1, "box_width": 0.3, "box_height": 0.3}
PRIOR_FACE = {
    "place": [CONTENT, *BOX],
    "in": ["local", "catalog"],
    "not_a_face": False,
    "person": "p2",
    "by": "cluster",
    "similarity": 98.5,
    "at": DAY,
}
PRIOR_PERSON = {"person_id": "p2", "name": None, "hidden": False, "birth_date": None, "created_at": DAY}


def decision(number: int, verb: str, details: object = None, **values: object) -> dict[str, Any]:
    columns = dict.fromkeys(("person_id", "other_person_id", "name", "photo_sha256", *BOX_KEYS, "undone_by"))
    text = None if details is None else json.dumps(details)
    row = {"id": number, "decided_at": DAY, "decided_by": "me", "verb": verb, **columns, "details": text}
    return {**row, **values}


SOUND: dict[str, Any] = {
    "format": "catalog labels",
    "version": 1,
    "made_at": DAY,
    "persons": [
        {
            **PRIOR_PERSON,
            "name": "Ann",
            "birth_date": "1990-05-17",
            "merged_into": None,
            "faces": [[CONTENT, *BOX, "human"]],
        },
        {**PRIOR_PERSON, "person_id": "p3", "merged_into": "p2", "faces": []},
    ],
    "decisions": [
        decision(
            1,
            "name",
            {"before": {"persons": [PRIOR_PERSON], "faces": []}, "exemplars": [[CONTENT, *BOX]]},
            person_id="p2",
            name="Ann",
        ),
        decision(
            2,
            "confirm",
            {"before": {"persons": [{"person_id": "p2", "stays": True}], "faces": [PRIOR_FACE]}},
            person_id="p2",
            photo_sha256=CONTENT,
            **BOX_KEYS,
        ),
        decision(
            3,
            "merge",
            {
                "before": {"persons": [{**PRIOR_PERSON, "merged_into": None}], "faces": []},
                "faces": [[CONTENT, *BOX]],
                "carried_from": [CONTENT],
                "copy_of": 2,
            },
            person_id="p2",
            other_person_id="p3",
            undone_by=4,
        ),
        decision(4, "undo", {"before": {"persons": [], "faces": []}, "of": 3, "with": []}, person_id="p2"),
        decision(5, "born", {"before": {"persons": [], "faces": []}}, person_id="p2", name="1990-05-17"),
        decision(6, "recluster", {"moved": 1, "persons_new": 0, "redirected": {"p4": "p2"}}),
    ],
    "tombstones": [{"photo_sha256": "bb" * 32, **BOX_KEYS, "forgotten_at": DAY}],
}

Spoil = Callable[[dict[str, Any]], object]


def details_of(labels: dict[str, Any], number: int, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the payload of a decision."""
    row = labels["decisions"][number - 1]
    payload = json.loads(row["details"])
    change(payload)
    row["details"] = json.dumps(payload)


def top(**values: object) -> Spoil:
    return lambda labels: labels.update(values)


def person(**values: object) -> Spoil:
    return lambda labels: labels["persons"][0].update(values)


def row(number: int, **values: object) -> Spoil:
    return lambda labels: labels["decisions"][number - 1].update(values)


def payload(number: int, **values: object) -> Spoil:
    return lambda labels: details_of(labels, number, lambda content: content.update(values))


def prior_person(**values: object) -> Spoil:
    return payload(1, before={"persons": [{**PRIOR_PERSON, **values}], "faces": []})


def prior_face(**values: object) -> Spoil:
    return payload(2, before={"persons": [], "faces": [{**PRIOR_FACE, **values}]})


def tombstone(**values: object) -> Spoil:
    return lambda labels: labels["tombstones"][0].update(values)


MALFORMED: dict[str, Spoil] = {
    "no version": lambda labels: labels.pop("version"),
    "version is a text": top(version="1"),
    "version is true": top(version=True),
    "an unknown key": top(extra=1),
    "made at no time": top(made_at="yesterday"),
    "persons are missing": lambda labels: labels.pop("persons"),
    "persons are an object": top(persons={}),
    "decisions are null": top(decisions=None),
    "tombstones are a text": top(tombstones="none"),
    "a person is a list": top(persons=[[]]),
    "a person has an unknown key": person(sql="DROP TABLE persons"),
    "a person without an id": lambda labels: labels["persons"][0].pop("person_id"),
    "an id that is a path": person(person_id="../../.."),
    "an id that is markup": person(person_id='"><script>'),
    "an id that is a number": person(person_id=7),
    "two persons with one id": person(person_id="p3"),
    "a person merged into itself": person(merged_into="p2"),
    "a person merged into a list": person(merged_into=["p3"]),
    "a name of a megabyte": person(name="A" * 1_000_000),
    "a name with an escape": person(name="Ann \x1b[31m"),
    "a name with a NUL": person(name="Ann\0"),
    "a name with half a character": person(name="Ann \ud800"),
    "a name that is a list": person(name=["Ann"]),
    "hidden is a text": person(hidden="no"),
    "a birth date that is none": person(birth_date="junk"),
    "a birth date without a day": person(birth_date="1990-02-30"),
    "a person created at no time": person(created_at="x"),
    "a person created at a time without a zone": person(created_at="2026-05-17T00:00:00"),
    "faces are null": person(faces=None),
    "a face with too few edges": person(faces=[[CONTENT, 0.1, 0.1, "human"]]),
    "a face with a short content hash": person(faces=[["aa", *BOX, "human"]]),
    "a face with an upper-case content hash": person(faces=[["AA" * 32, *BOX, "human"]]),
    "a face assigned by a ghost": person(faces=[[CONTENT, *BOX, "ghost"]]),
    "a face without a size": person(faces=[[CONTENT, 0.1, 0.1, 0.0, 0.3, "human"]]),
    "a face of infinite size": person(faces=[[CONTENT, 0.1, 0.1, float("inf"), 0.3, "human"]]),
    "a face at no number": person(faces=[[CONTENT, float("nan"), 0.1, 0.3, 0.3, "human"]]),
    "a face with a text for an edge": person(faces=[[CONTENT, "0.1", 0.1, 0.3, 0.3, "human"]]),
    "a face beyond all numbers": person(faces=[[CONTENT, 10**400, 0.1, 0.3, 0.3, "human"]]),
    "a decision is a text": top(decisions=["name"]),
    "a decision with an unknown key": row(1, trigger=1),
    "a decision without a number": lambda labels: labels["decisions"][0].pop("id"),
    "a decision with the number 0": row(1, id=0),
    "a decision with a number beyond 64 bits": row(6, id=2**63),
    "two decisions with one number": row(2, id=1),
    "an unknown verb": row(1, verb="drop"),
    "a verb that is null": row(1, verb=None),
    "decided at no time": row(1, decided_at="2026"),
    "decided by no user": row(1, decided_by=None),
    "decided by an escape": row(1, decided_by="\x1b]0;me\x07"),
    "a name without its person": row(1, person_id=None),
    "a name given with an escape": row(1, name="\x1b[2J"),
    "a birth date given that is none": row(5, name="soon"),
    "a confirmation without a face": row(2, photo_sha256=None, **dict.fromkeys(BOX_KEYS)),
    "a confirmation with half a box": row(2, box_width=None),
    "a confirmation of a face without a photo": row(2, photo_sha256=None),
    "a confirmation with a negative box": row(2, box_height=-0.3),
    "a merge with itself": row(3, other_person_id="p2"),
    "a merge with no person": row(3, other_person_id=None),
    "an undo of itself": payload(4, of=4),
    "an undo of a later decision": payload(4, of=5),
    "an undo along with itself": payload(4, **{"with": [4]}),
    "undone by itself": row(3, undone_by=3),
    "undone by a decision that the file lacks": row(3, undone_by=99),
    "undone by what is no undo": row(3, undone_by=5),
    "details are an object": row(1, details={"before": {}}),
    "details are no JSON": row(1, details="{"),
    "details are a list": row(1, details="[]"),
    "details have a key twice": row(1, details='{"before":{},"before":{}}'),
    "details with infinity": row(6, details='{"moved":Infinity}'),
    "details nested without end": row(1, details='{"before":' + "[" * 100_000 + "]" * 100_000 + "}"),
    "details with an unknown key": payload(1, sql="x"),
    "details of a verb that has none": row(6, verb="migrate"),
    "exemplars of another verb": payload(5, exemplars=[]),
    "exemplars are no face keys": payload(1, exemplars=[["aa", *BOX]]),
    "a prior state is a list": payload(1, before=[]),
    "a prior state of other rows": payload(1, before={"photos": []}),
    "a prior person with a path": prior_person(person_id="../.."),
    "a prior person with junk for a birth date": prior_person(birth_date="junk"),
    "a prior person with a name of a megabyte": prior_person(name="A" * 1_000_000),
    "a prior person with an escape": prior_person(name="\x1b[31mAnn"),
    "a prior person both new and changed": prior_person(new=True),
    "a prior person that stays for no reason": prior_person(stays=1),
    "a prior face without its place": prior_face(place=None),
    "a prior face in no gallery": prior_face(**{"in": ["local"]}),
    "a prior face by a ghost": prior_face(by="ghost"),
    "a prior face with a person and no time": prior_face(at=None),
    "a prior face at no time": prior_face(at="noon"),
    "a prior face with an endless similarity": prior_face(similarity=float("inf")),
    "a prior face that may be a face": prior_face(not_a_face="maybe"),
    "a copy of a text": payload(3, copy_of="2"),
    "carried from no photo": payload(3, carried_from=["aa"]),
    "redirects to a path": payload(6, redirected={"p4": "../p2"}),
    "a negative count": payload(6, moved=-1),
    "a tombstone with a name": tombstone(name="Ann"),
    "a tombstone without a photo": tombstone(photo_sha256=None),
    "a tombstone without a size": tombstone(box_width=0),
    "a tombstone of no time": tombstone(forgotten_at=""),
}


def test_the_sound_file_is_accepted() -> None:
    """Every malformed file differs from it in one value."""
    labels = parse_labels(json.dumps(SOUND), "labels.json")
    assert [len(part) for part in (labels.persons, labels.decisions, labels.tombstones)] == [2, 6, 1]


@pytest.mark.parametrize("spoil", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_file_is_refused_in_one_sentence(spoil: Spoil) -> None:
    """The sentence names the file and the first malformed value, and has no line breaks or escapes in it."""
    labels = copy.deepcopy(SOUND)
    spoil(labels)
    with pytest.raises(UsageError, match=r"labels\.json") as caught:
        parse_labels(json.dumps(labels), "labels.json")
    message = str(caught.value)
    assert message.startswith('The labels file "labels.json" is malformed: ')
    assert message.endswith(".")
    assert message.isprintable()
    assert len(message) < 300
    assert caught.value.exit_code == 2
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", "{" * 100_000, '{"format":"other"}', '{"format":["catalog labels"]}']
)
def test_a_file_of_another_kind_is_no_labels_file(text: str) -> None:
    """The message says so instead of naming a field."""
    with pytest.raises(UsageError) as caught:
        parse_labels(text, "labels.json")
    assert '"labels.json" is' in str(caught.value)
