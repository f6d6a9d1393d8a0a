"""The review as its pages use it: cards with faces and offers, answers to cards that were shown, and undo."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from catalog.app.catalog import Catalog
from catalog.app.review_values import Card, ReviewResult
from catalog.domain.errors import UsageError
from catalog.store.browse_people import StrangerSelection
from catalog.store.face_order import FaceOrder
from catalog.store.person_summaries import PersonSummary
from catalog.web import review_json
from catalog.web.crop_cache import CropCache
from catalog.web.pair_pause import PairPause
from catalog.web.review_answers import number_of, parse_answer, text_of
from catalog.web.review_json import Json
from catalog.web.review_repairs import parse_repair, parse_strangers

K = TypeVar("K")
V = TypeVar("V")
KEPT_CARDS = 2_000
KEPT_UNDOS = 1_000
LAST_ANSWERS = 20
PAIR_FACES = 6
MAX_GROUPS = 1_000
FEW_PHOTOS = 3
"""Persons without a name on fewer photos are offered to be hidden."""
OFFER_FROM = 0.5
"""Lowest chance at which the name of an existing person is offered before a letter is typed."""
HOME_CARDS = 5
"""Cards of the first page."""
CROP_SIDES = frozenset({96, 192, 384})
IMAGE_SIDES = frozenset({384, 1280, 2560})


class CardChangedError(UsageError):
    """The card is not known to this server: it was shown by an earlier run."""


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """An answer of this run, for the list on the home page."""

    group: int
    text: str


@dataclass(frozen=True, slots=True)
class KeptCard:
    """A card as it was shown, and all that it was made of. ``persons`` are the ids of the persons on it."""

    parts: tuple[object, ...]
    shown: Json
    persons: frozenset[str]


class ReviewDesk:
    """Methods may be called from several threads. ``catalog`` stays open as long as the desk is used."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._cards: OrderedDict[tuple[str, int], Card] = OrderedDict()
        self._kept: OrderedDict[str, KeptCard] = OrderedDict()
        self._undos: OrderedDict[str, Json] = OrderedDict()
        self._last: deque[LastAnswer] = deque(maxlen=LAST_ANSWERS)
        self._pairs = PairPause()
        self._images = CropCache()
        self._warming = threading.Lock()

    def warm_up(self) -> None:
        """Read the first page once, so that modules are loaded, statements are compiled and its cards are known."""
        with self._warming:
            self.status()
            self.cards(HOME_CARDS)
            self.overview()

    def wait_until_warm(self) -> None:
        """Wait for a :meth:`warm_up` that another thread has begun, which reads the same pages."""
        with self._warming:
            pass

    # ------------------------------------------------------------------------------------------------ questions

    def status(self) -> Json:
        with self._lock:
            last = [{"group": answer.group, "text": answer.text} for answer in reversed(self._last)]
        return {**review_json.status_json(self._catalog.review.status()), **self.progress(), "last": last}

    def progress(self) -> Json:
        """The number of the latest decision, and the photos that a running scan has recorded; null without a scan."""
        photos = self._catalog.scan_progress()
        return {"seen": self._catalog.review.seen(), "scan": None if photos is None else {"photos": photos}}

    def overview(self) -> Json:
        """Counts for the home page: persons seen on fewer than three photos, and watch hits to check."""
        rare = self._catalog.browse.strangers(StrangerSelection(fewer_than=FEW_PHOTOS), sample=0)
        hits = sum(entry.open_hits for entry in self._catalog.watch_list.list())
        return {"strangers": rare.count, "fewer_than": FEW_PHOTOS, "hits": hits}

    def cards(self, limit: int, excluded: tuple[str, ...] = ()) -> list[Json]:
        """The next cards with their faces. They are remembered, so that an answer can be checked against its card."""
        with self._lock:
            is_paused = self._pairs.is_on
        return self._shown(self._catalog.review.cards(limit, excluded=excluded, pairs_last=is_paused))

    def candidates(self, person: str) -> list[Json]:
        """The grid of a person's candidates, if there are any. Raises PersonError."""
        card = self._catalog.review.candidates_card(person)
        return [] if card is None else self._shown([card])

    def names(self, prefix: str, near: str | None) -> list[Json]:
        """At most 8 named persons; with ``near`` the similarity to that person, where it is known."""
        similar = self._catalog.review.similarities(near) if near else {}
        names = [
            {**review_json.person_json(person), "similarity": similar.get(person.person_id)}
            for person in self._catalog.review.names(prefix)
            if person.person_id != near
        ]
        return sorted(names, key=lambda name: -(name["similarity"] or 0))

    def _shown(self, cards: Sequence[Card], *, is_fresh: bool = False) -> list[Json]:
        """The cards as JSON. A card that was shown before and is the same is kept, unless ``is_fresh``.

        It keeps the number of the decision after which it was read: an answer is a conflict if a later decision
        concerns its persons or faces.
        """
        rows = [card.person.row for card in cards if card.kind == "group"]
        likely = self._catalog.review.likely_names(rows, chance=OFFER_FROM) if rows else {}
        return [self._shown_card(card, likely.get(card.person.row), is_fresh=is_fresh) for card in cards]

    def _shown_card(self, card: Card, likely: tuple[PersonSummary, float] | None, *, is_fresh: bool) -> Json:
        parts = (card.person, card.other, card.reason, card.tiles, likely)
        with self._lock:
            kept = self._kept.get(card.id)
        if kept is not None and kept.parts == parts and not is_fresh:
            card = replace(card, seen=kept.shown["seen"])
            shown = {**kept.shown, **review_json.card_json(card)}
        else:
            shown = {**review_json.card_json(card), **self._faces_of(card)}
            if card.kind == "group":
                shown["offer"] = _offer(likely)
        with self._lock:
            _keep(self._kept, card.id, KeptCard(parts, shown, _persons_on(card)))
            _keep(self._cards, (card.id, card.seen), card)
        return shown

    def _faces_of(self, card: Card) -> Json:
        if card.kind == "group":
            rows = self._catalog.review.card_faces(card.person.person_id)
            return {"rows": [review_json.row_json(row, card.person.faces) for row in rows]}
        if card.kind == "pair":
            return {"sides": [self._side(card.person.person_id), self._other_side(card)]}
        return {"tiles": [review_json.tile_json(tile) for tile in card.tiles]}

    def _side(self, person: str) -> list[Json]:
        faces = self._catalog.review.faces(person, FaceOrder.CLEAREST, PAIR_FACES)
        return [review_json.face_json(face) for face in faces]

    def _other_side(self, card: Card) -> list[Json]:
        if card.other is not None:
            return self._side(card.other.person_id)
        return [review_json.face_json(tile.face) for tile in card.tiles]

    # ------------------------------------------------------------------------------------------------ answers

    def answer(self, body: dict[str, Any]) -> Json:
        """Record an answer to a card. Raises UsageError, ReviewConflictError and SamePhotoError."""
        with self._lock:
            card = self._cards.get((text_of(body, "question"), number_of(body, "seen")))
        if card is None:
            raise CardChangedError("This card is out of date.")
        parsed = parse_answer(card, body)
        if parsed.answer is None:
            self._catalog.review.skip(card)
            self._count(card, body)
            return {"group": None, "text": parsed.text}
        result = self._catalog.review.answer(parsed.answer)
        if not result.is_repeat:
            self._count(card, body)
        return self._recorded(result, parsed.text, _persons_on(card) | {parsed.answer.into or ""})

    def _count(self, card: Card, body: dict[str, Any]) -> None:
        with self._lock:
            self._pairs.add(card.kind, text_of(body, "answer"))

    def repair(self, body: dict[str, Any]) -> Json:
        """Record a change outside a card. Raises UsageError, ReviewConflictError, SameNameError and SamePhotoError."""
        repair, text = parse_repair(body)
        return self._recorded(self._catalog.review.repair(repair), text)

    def hide_strangers(self, body: dict[str, Any]) -> Json:
        """Hide persons without a name in bulk. Raises UsageError and ReviewConflictError."""
        selection, count = parse_strangers(body), number_of(body, "count")
        result = self._catalog.review.hide_strangers(selection, key=text_of(body, "key", longest=100), count=count)
        return self._recorded(result, f"{count:,} {'person' if count == 1 else 'people'} hidden")

    def _recorded(self, result: ReviewResult, text: str, persons: frozenset[str] | None = None) -> Json:
        """``persons`` are all that the answer was about; None: they are not known."""
        with self._lock:
            if result.group is not None and not result.is_repeat:
                self._last.append(LastAnswer(result.group, text))
            self._forget_cards(persons)
        return {"group": result.group, "text": text, "repeat": result.is_repeat}

    def _forget_cards(self, persons: frozenset[str] | None) -> None:
        """Read the cards about these persons again, or all cards: they were made before the latest decision."""
        for question in list(self._kept):
            if persons is None or self._kept[question].persons & persons:
                del self._kept[question]

    def card_again(self, question: str) -> Json | None:
        """The card of a person as it is now; None if its question is settled."""
        current_card = {card.id: card for card in self._catalog.review.cards(100)}.get(question)
        return None if current_card is None else self._shown([current_card], is_fresh=True)[0]

    def undo(self, body: dict[str, Any]) -> Json:
        """Revert one or several groups of decisions, or the latest one; or the latest undo with ``redo``.

        The same key reverts once. Raises UsageError, and BlockedUndoError if later decisions build on a group.
        """
        key = text_of(body, "key", longest=100)
        groups = _groups_of(body)
        with self._lock:
            if key in self._undos:
                return self._undos[key]
            undone: tuple[int, ...] = ()
            if body.get("redo") is True:
                number, text = self._catalog.review.redo(), "Done again"
            else:
                reverted = self._catalog.review.undo_several(groups or None)
                number, undone = reverted.number, reverted.groups
                last = next((answer.text for answer in self._last if answer.group in undone), "the decision")
                text = f"Undone: {last}" if len(undone) < 2 else f"{len(undone)} answers undone"
            self._last = deque((answer for answer in self._last if answer.group not in undone), maxlen=LAST_ANSWERS)
            self._forget_cards(None)
            result = {"undo": number, "text": text}
            self._undos[key] = result
            if len(self._undos) > KEPT_UNDOS:
                self._undos.popitem(last=False)
        return result

    # ------------------------------------------------------------------------------------------------ images

    def crop(self, face_id: str, side: int) -> bytes:
        """A JPEG around a face. Raises PersonError for an unknown face, PhotoError and SourceError."""
        return self._images.get((face_id, side), lambda: self._catalog.crop(face_id, side=side))

    def image(self, sha256: str, side: int) -> bytes:
        """A photo of the catalogue as JPEG. Raises PhotoError and SourceError."""
        return self._images.get((sha256, side), lambda: self._catalog.image(sha256, max_side=side))


def _offer(likely: tuple[PersonSummary, float] | None) -> Json | None:
    """The name that is offered before a letter is typed."""
    if likely is None:
        return None
    person, similarity = likely
    return {"person": person.person_id, "name": person.name, "similarity": round(similarity, 1)}


def _persons_on(card: Card) -> frozenset[str]:
    """The ids of the persons that an answer to the card may change."""
    others = [card.other.person_id] if card.other is not None else []
    return frozenset([card.person.person_id, *others, *(tile.person_id for tile in card.tiles if tile.person_id)])


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """Make this the newest entry. The oldest entries beyond ``KEPT_CARDS`` are dropped."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > KEPT_CARDS:
        kept.popitem(last=False)


def _groups_of(body: dict[str, Any]) -> list[int]:
    """The groups of an undo: ``group``, or ``groups``; empty if the body has neither. Raises UsageError."""
    if body.get("group") is not None:
        return [number_of(body, "group")]
    groups = body.get("groups", [])
    if not isinstance(groups, list) or len(groups) > MAX_GROUPS:
        raise UsageError(f'"groups" must be a list of at most {MAX_GROUPS} numbers.')
    return [number_of({"groups": group}, "groups") for group in groups]
