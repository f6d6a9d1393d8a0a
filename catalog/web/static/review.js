// The queue: one card at a time. A card is JSON from the server, put into clones of <template> by textContent, so that
// no name and no path can become markup. The next five cards and their crops are fetched ahead.
import {all, announce, ask, clone, commands, crop, fail, fill, focused, forgetUndone, framePhoto, image, move, notice, one, onKeys,
  openPhoto, plural, setBusy, state} from "./page.js";
import {NameList} from "./names.js";
import {listen} from "./events.js";
const DELAY = 150, AHEAD = 5, person = one("#card").dataset.person;
let queue = [], current = null, shownAt = 0, answerKey = "", unticked = new Map(), names = null, latest = 0;

function tilesOf(card) {
  return card.rows ? card.rows.flatMap((row) => row.tiles) : card.sides ? card.sides.flat() : card.tiles || [];
}

// ---------------------------------------------------------------------------------------------- cards
function caption(tile) {
  const how = unticked.get(tile.face);
  if (how) return how === "reject" ? "not this person" : "not a face";
  return tile.count > 1 ? `${tile.count} faces, ${tile.similarity}` : String(tile.similarity ?? tile.taken ?? "");
}
function makeTile(tile, index, count, plain) {
  const element = clone("tile");
  element.dataset.face = tile.face; element.tile = tile; element.tabIndex = index ? -1 : 0;
  if (plain) { element.classList.add("plain"); element.removeAttribute("role"); element.removeAttribute("aria-checked"); }
  one(".caption", element).textContent = caption(tile);
  const year = tile.taken ? `, photo of ${tile.taken}` : "", alike = tile.similarity ? `, similarity ${tile.similarity}` : "";
  element.setAttribute("aria-label", `Face ${index + 1} of ${count}${year}${alike}`);
  fill(one("img", element), crop(tile.face));
  return element;
}
function span(from, to) { return from ? `, ${from}${to !== from ? ` to ${to}` : ""}` : ""; }
const makers = {
  group(card) {
    const root = clone("group"), shown = tilesOf(card).length;
    one(".summary", root).textContent = `${plural(card.person.faces, "face")} on ${plural(card.person.photos, "photo")}` +
      `${span(card.person.from, card.person.to)}.${shown < card.person.faces ? ` ${shown} of them are shown.` : ""}`;
    let index = 0;
    for (const row of card.rows) {
      const section = clone("row");
      one(".title", section).textContent = row.title; one(".note", section).textContent = row.note;
      one(".tiles", section).setAttribute("aria-label", row.title);
      one(".tiles", section).append(...row.tiles.map((tile) => makeTile(tile, index++, shown)));
      one(".rows", root).append(section);
    }
    const field = one("input", root);
    names = new NameList(field, one("#names", root), {near: () => card.person.person, offer: () => card.offer, take: () => nameGroup()});
    one("form", root).onsubmit = (event) => { event.preventDefault(); nameGroup(); };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { one("#card .tile")?.focus(); event.preventDefault(); }
      else if (event.key === "Enter" && (event.repeat || !state.mayAct())) event.preventDefault();
    });
    return root;
  },
  pair(card) {
    const root = clone("pair"), sides = all(".side", root), named = card.person.name;
    one("h1", root).textContent = named ? `Is this ${named} too?` : "Are these two the same person?";
    const faces = card.other ? Math.min(card.person.faces, card.other.faces) : 1;
    one(".summary", root).textContent = named ? `A yes names ${plural(card.other ? card.other.faces : 1, "face")}.` : `A yes joins ${plural(faces, "face")}.`;
    [card.person, card.other].forEach((person, number) => {
      const part = sides[number], tiles = card.sides[number];
      one(".who", part).textContent = person ? person.name || "No name" : "One face";
      one(".note", part).textContent = person ? plural(person.faces, "face") + span(person.from, person.to) : "";
      one(".tiles", part).setAttribute("aria-label", one(".who", part).textContent);
      one(".tiles", part).append(...tiles.map((tile, index) => makeTile(tile, index, tiles.length, true)));
      if (tiles.length) framePhoto(one(".frame", part), tiles[0]);
    });
    one(".similarity", root).textContent = card.similarity;
    one(".reason .text", root).textContent = card.reason ? `Why the program did not decide: ${card.reason}.` :
      `Why the program did not decide: similarity ${card.similarity} is below the threshold for joining these two.`;
    return root;
  },
  grid(card) {
    const root = clone("grid"), tiles = card.tiles;
    one("h1", root).textContent = `Which of these are ${card.person.name || "this person"}?`;
    unticked = new Map(tiles.filter((tile) => !tile.ticked).map((tile) => [tile.face, "reject"]));
    one(".tiles", root).setAttribute("aria-label", "Candidates");
    one(".tiles", root).append(...tiles.map((tile, index) => makeTile(tile, index, tiles.length)));
    return root;
  },
};
function show(card, kept = new Map()) {
  current = card; unticked = new Map(); answerKey = crypto.randomUUID(); shownAt = performance.now();
  const place = one("#card"), root = card ? makers[card.kind](card) : clone("empty");
  place.replaceChildren(root); if (!state.busy) place.setAttribute("aria-busy", "false");
  if (!card) one(".summary", root).textContent = person ? "No face and no person may be this person too." : `${one("#percent").textContent} of faces are named.`;
  for (const tile of card ? tilesOf(card) : []) if (kept.has(tile.face)) unticked.set(tile.face, kept.get(tile.face));
  update();
  if (card && card.offer) names.refresh();
  const main = one("#name", root) || one("[data-do=yes]", root) || one(".tile", root) || one("a", root);
  main?.focus();
  for (const ahead of queue.slice(0, AHEAD)) for (const tile of tilesOf(ahead)) image(crop(tile.face)).catch(() => {});
}
function update() {
  const tiles = all("#card .tile[role=checkbox]");
  for (const element of tiles) {
    element.setAttribute("aria-checked", String(!unticked.has(element.dataset.face)));
    one(".caption", element).textContent = caption(element.tile);
  }
  const line = one("#card .unticked"), submit = one("#card form .text"), confirm = one("#card [data-do=confirm] .text");
  if (line) {
    line.hidden = unticked.size === 0;
    one(".text", line).textContent = `${plural(unticked.size, "face")} unticked. They leave this group. The next scan assigns them again, never to this person.`;
    submit.textContent = `Name ${plural(current.person.faces - unticked.size, "face")}`;
  }
  if (confirm) {
    const ticked = current.tiles.filter((tile) => !unticked.has(tile.face));
    confirm.textContent = `Confirm ${plural(ticked.reduce((sum, tile) => sum + tile.count, 0), "face")}`;
    one("#card .summary").textContent = `${plural(tiles.length, "tile")}; ${ticked.length} ticked.`;
  }
}
function toggle(element, as = "reject") {
  if (!element || !element.tile || element.classList.contains("plain")) return;
  const face = element.dataset.face;
  if (unticked.get(face) === as) unticked.delete(face); else unticked.set(face, as);
  update();
}

// ---------------------------------------------------------------------------------------------- answers
async function nameGroup(allow = {}) {
  const name = await names.value();
  if (!name) return;
  send({answer: "name", name, ...allow, unticked: [...unticked].map(([face, as]) => ({face, as}))}, `${names.option.plain} named`);
}
async function send(answer, text) {
  if (!current || state.busy) return;
  setBusy(true);
  const body = {...answer, key: answerKey, question: current.id, seen: current.seen};
  try {
    const result = await ask("/api/answers", body);
    if (result.conflict) { await conflict(result.conflict); return; }
    notice.replaceChildren();
    forgetUndone();
    tell(text || result.text, result);
    await next();
  } catch (error) {
    fail(error, () => send(answer, text));
  } finally { setBusy(false); }
}
async function conflict(value) {
  answerKey = crypto.randomUUID();
  if (value.error === "same_photo" || value.error === "same_name") {
    const line = one("#card .same-photo");
    if (!line) { notice.textContent = value.message; return; }
    const isPhoto = value.error === "same_photo";
    one(".text", line).textContent = isPhoto ? `${value.message} Is it a mirror, a collage or a photo of a photo?` : `${value.message} Is it the same person?`;
    one("[data-do=keep-two]", line).hidden = isPhoto;
    one("[data-do=join-anyway]", line).textContent = isPhoto ? "Join anyway" : "The same person";
    line.dataset.person = value.person || "";
    line.hidden = false; one("button", line).focus();
    return;
  }
  notice.textContent = value.card ? `${value.message} Here is the new state.` : "Already answered in another window.";
  if (value.card) show(value.card, unticked); else await next();
}
function joinAnyway() {
  const other = one("#card .same-photo").dataset.person;
  if (!other) { nameGroup({same_photo: true}); return; }
  send({answer: "name", name: {person: other}, unticked: [...unticked].map(([face, as]) => ({face, as}))}, `${names.option.plain} named`);
}
export function showStatus(status) {
  const share = (part) => Math.floor(100 * part / Math.max(1, status.faces));
  one("#percent").textContent = `${share(status.named)} %`; one("#forecast").textContent = `${share(status.forecast.named)} %`;
  one("#bar-named").setAttribute("width", share(status.named)); one("#bar-forecast").setAttribute("width", share(status.forecast.named));
  one("#bar").setAttribute("aria-valuenow", status.named); one("#total").textContent = status.faces.toLocaleString("en");
}
function tell(text, result) {
  showStatus(result.status); latest = Math.max(latest, result.status.seen);
  one("#last-answer").textContent = `Last answer: ${text}.`; one("#undo").hidden = false;
  announce(`${text}. ${one("#percent").textContent.replace("%", "percent")} named.`);
}
async function fetchCards() {
  return (await ask(person ? `/api/questions?person=${encodeURIComponent(person)}` : `/api/questions?limit=${AHEAD + 1}`)).questions;
}
async function next() {
  queue = await fetchCards();
  show(queue.shift() || null);
}
state.reload = async (text, result) => { tell(text, result); await next(); };
state.mayAct = () => performance.now() - shownAt >= DELAY;
// Another window, a command or a scan changed something: the card is replaced if it is not what it was.
async function changed(event) {
  if (event.status) showStatus(event.status);
  if (state.busy || !current || event.seen <= Math.max(current.seen, latest)) return;
  latest = event.seen;
  const cards = await fetchCards(), now = cards.find((card) => card.id === current.id);
  if (state.busy) return;
  const before = JSON.stringify({...current, seen: 0, chance: 0, settles: 0}), after = now && JSON.stringify({...now, seen: 0, chance: 0, settles: 0});
  queue = cards.filter((card) => card !== now);
  if (!now) {
    notice.textContent = "Already answered in another window.";
    show(queue.shift() || null);
  } else if (before !== after) {
    notice.textContent = `${now.person.name || "The card"} was changed since this card was shown. Here is the new state.`;
    show(now, unticked);
  } else current.seen = now.seen;
}

// ---------------------------------------------------------------------------------------------- commands
function tickAll() { if (unticked.size) unticked.clear(); else for (const tile of tilesOf(current)) unticked.set(tile.face, "reject"); update(); }
Object.assign(commands, {
  "photo": () => openPhoto(),
  "tick": () => toggle(focused()),
  "tick-all": tickAll,
  "not-a-face": () => current.kind === "pair" ? send({answer: "not_a_face", face: (document.activeElement.closest(".tile") || all(".side")[1].querySelector(".tile")).dataset.face}) : toggle(focused(), "not_a_face"),
  "hide": () => send({answer: "hide"}),
  "not-sure": () => send({answer: "not_sure"}),
  "yes": () => current.kind === "group" ? current.offer && !one("#name").value && nameGroup() : send({answer: "yes"}),
  "no": () => send({answer: "no"}),
  "confirm": () => send({answer: "confirm", tiles: current.tiles.map((tile) => ({face: tile.face, as: unticked.has(tile.face) ? "reject" : "confirm"}))}),
  "join-anyway": joinAnyway,
  "keep-two": () => nameGroup({same_name: true}),
  "other-name": () => { one("#card .same-photo").hidden = true; one("#name").select(); },
});
const KEYS = {
  group: {" ": "photo", t: "tick", a: "tick-all", x: "not-a-face", h: "hide", s: "not-sure", y: "yes"},
  pair: {" ": "photo", y: "yes", n: "no", s: "not-sure", h: "hide", x: "not-a-face"},
  grid: {" ": "photo", t: "tick", a: "tick-all", s: "not-sure", Enter: "confirm"},
};
onKeys(() => current ? KEYS[current.kind] : {}, (step) => {
  const target = move(step), part = target?.closest(".side");
  if (part) framePhoto(one(".frame", part), target.tile);
});
one("#card").addEventListener("click", (event) => {
  const tile = event.target.closest(".tile");
  if (!tile || one("dialog[open]")) return;
  if (tile.classList.contains("plain")) framePhoto(one(".frame", tile.closest(".side")), tile.tile);
  else toggle(tile);
});
next().then(() => listen(changed, () => current?.seen ?? null)).catch((error) => fail(error, () => next()));
