"use strict";
(() => {
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const clone = (id) => one("#" + id).content.firstElementChild.cloneNode(true);
const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const page = document.body.dataset.page, pageKey = one("meta[name=review-key]").content;
const notice = one("#notice"), live = one("#live");
const DELAY = 150, AHEAD = 5, KEPT = 300;
let queue = [], current = null, shownAt = 0, busy = false, answerKey = "", unticked = new Map();
let undone = [], answered = [], ended = false, retry = null;

// ---------------------------------------------------------------------------------------------- server
async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body), headers: {"Content-Type": "application/json", "X-Review": pageKey},
  };
  let response;
  try { response = await fetch(path, options); } catch {
    throw Object.assign(new Error("`catalog review` has ended. Start it again; your answers are saved."), {ended: true});
  }
  const value = await response.json().catch(() => ({}));
  if (response.status === 401) { ended = true; throw new Error(value.message); }
  if (response.status === 409) return {conflict: value};
  if (!response.ok) throw new Error(`Not written: ${value.message || response.status} ${value.remedy || ""}`);
  return value;
}
function fail(error, again) {
  notice.replaceChildren(error.message + " ");
  if (!again || ended) return;
  const button = document.createElement("button");
  button.type = "button"; button.className = "link"; button.textContent = "Try again";
  button.onclick = () => { notice.replaceChildren(); again(); };
  notice.append(button);
}

// ---------------------------------------------------------------------------------------------- images
const images = new Map();
function image(url) {
  if (!images.has(url)) {
    images.set(url, fetch(url).then((r) => r.ok ? r.blob() : Promise.reject(r.status)).then((b) => URL.createObjectURL(b)));
    images.get(url).catch(() => images.delete(url));
    for (const old of [...images.keys()].slice(0, Math.max(0, images.size - KEPT))) {
      images.get(old).then((blob) => URL.revokeObjectURL(blob), () => {});
      images.delete(old);
    }
  }
  return images.get(url);
}
function fill(img, url) { image(url).then((blob) => { img.src = blob; }, () => img.parentElement.classList.add("missing")); }
const side = devicePixelRatio > 1 ? 384 : 192;
const crop = (face) => `/crops/${encodeURIComponent(face)}/${side}`;
const photo = (sha256) => `/images/${sha256}/1280`;
function tilesOf(card) {
  return card.rows ? card.rows.flatMap((row) => row.tiles) : card.sides ? card.sides.flat() : card.tiles || [];
}
function framePhoto(frame, tile) {
  const img = one("img", frame), box = one(".box", frame);
  box.hidden = true;
  img.onload = () => {
    const area = img.getBoundingClientRect(), outer = frame.getBoundingClientRect();
    const scale = Math.min(area.width / img.naturalWidth, area.height / img.naturalHeight);
    const width = img.naturalWidth * scale, height = img.naturalHeight * scale;
    const left = area.left - outer.left + (area.width - width) / 2, top = area.top - outer.top + (area.height - height) / 2;
    box.style.left = `${left + tile.box[0] * width}px`; box.style.top = `${top + tile.box[1] * height}px`;
    box.style.width = `${tile.box[2] * width}px`; box.style.height = `${tile.box[3] * height}px`;
    box.hidden = false;
  };
  image(photo(tile.sha256)).then((blob) => { img.src = blob; }, () => frame.classList.add("missing"));
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
    one("form", root).onsubmit = (event) => { event.preventDefault(); nameGroup(); };
    one("input", root).oninput = offerNames;
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
function show(card) {
  current = card; unticked = new Map(); answerKey = crypto.randomUUID(); shownAt = performance.now();
  const place = one("#card"), root = card ? makers[card.kind](card) : clone("empty");
  place.replaceChildren(root); if (!busy) place.setAttribute("aria-busy", "false");
  if (!card) one(".summary", root).textContent = `${one("#percent").textContent} of faces are named.`;
  update();
  if (card && card.offer) offerNames();
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
    one(".text", line).textContent = `${plural(unticked.size, "face")} unticked. They leave this group and are assigned again, never to this person.`;
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

// ---------------------------------------------------------------------------------------------- names
let options = [], chosen = 0, asked = 0;
async function offerNames() {
  const field = one("#name"), list = one("#names"), text = field.value.trim(), turn = ++asked, card = current;
  let names = [];
  if (!text && card.offer) names = [card.offer];
  else if (text.length >= 2) {
    try { names = (await ask(`/api/names?q=${encodeURIComponent(text)}&near=${card.person.person}`)).names; } catch (error) { fail(error); }
  }
  if (turn !== asked || card !== current) return;
  options = names.map((name) => ({person: name.person, text: text ? name.name : `Yes, ${name.name}`, plain: name.name,
    note: [name.faces && plural(name.faces, "face"), name.similarity && `similarity ${Math.round(name.similarity)}`].filter(Boolean).join(", ")}));
  if (text) options.push({fresh: text, text: `New person "${text}"`, note: ""});
  chosen = 0;
  list.replaceChildren(...options.map((option, index) => {
    const item = document.createElement("li"), note = document.createElement("span");
    item.id = `name-${index}`; item.setAttribute("role", "option"); item.textContent = option.text;
    note.className = "note"; note.textContent = option.note; item.append(note);
    item.onclick = () => { chosen = index; nameGroup(); };
    return item;
  }));
  choose(0);
}
function choose(index) {
  chosen = Math.max(0, Math.min(index, options.length - 1));
  all("#names li").forEach((item, number) => item.setAttribute("aria-selected", String(number === chosen)));
  one("#name").setAttribute("aria-expanded", String(options.length > 0));
  if (options.length) one("#name").setAttribute("aria-activedescendant", `name-${chosen}`);
}
async function nameGroup(samePhoto = false) {
  const text = one("#name").value.trim();
  if (text && options.at(-1)?.fresh !== text) await offerNames();
  const option = options[chosen];
  if (!option) return;
  const name = option.person ? {person: option.person} : {new: option.fresh};
  send({answer: "name", name, same_photo: samePhoto, unticked: [...unticked].map(([face, as]) => ({face, as}))},
    `${option.plain || option.fresh} named`);
}

// ---------------------------------------------------------------------------------------------- answers
function setBusy(is) { busy = is; one("#card")?.setAttribute("aria-busy", String(is)); }
async function send(answer, text) {
  if (!current || busy) return;
  setBusy(true);
  const card = current, body = {...answer, key: answerKey, question: card.id};
  try {
    const result = await ask("/api/answers", body);
    if (result.conflict) { conflict(result.conflict); return; }
    notice.replaceChildren();
    if (result.group !== null) { answered.push(result.group); undone = []; }
    tell(text || result.text, result);
    await next();
  } catch (error) {
    fail(error, () => send(answer, text));
  } finally { setBusy(false); }
}
function conflict(value) {
  answerKey = crypto.randomUUID();
  if (value.error === "same_photo") {
    const line = one("#card .same-photo");
    if (!line) { fail(new Error(value.message)); return; }
    one(".text", line).textContent = `${value.message} Is it a mirror, a collage or a photo of a photo?`;
    line.hidden = false; one("button", line).focus();
    return;
  }
  notice.textContent = value.card ? `${value.message} Here is the new state.` : "Already answered in another window.";
  if (value.card) show(value.card); else next();
}
function tell(text, result) {
  const status = result.status, share = (part) => Math.floor(100 * part / Math.max(1, status.faces));
  if (one("#percent")) {
    one("#percent").textContent = `${share(status.named)} %`; one("#forecast").textContent = `${share(status.forecast.named)} %`;
    one("#bar-named").setAttribute("width", share(status.named)); one("#bar-forecast").setAttribute("width", share(status.forecast.named));
    one("#bar").setAttribute("aria-valuenow", status.named);
    one("#last-answer").textContent = `Last answer: ${text}.`; one("#undo").hidden = !answered.length;
  }
  live.textContent = `${text}. ${share(status.named)} percent named.`;
}
async function next() {
  const known = queue.map((card) => card.id);
  const value = await ask(`/api/questions?limit=${AHEAD + 1}`);
  queue = value.questions;
  for (const card of queue) if (known.includes(card.id)) continue;
  show(queue.shift() || null);
}
async function undo(group) {
  if (busy) return;
  setBusy(true);
  try {
    const target = group ?? answered.pop();
    if (target === undefined) { notice.textContent = "No answer of this window is left to undo."; return; }
    const result = await ask("/api/undo", {key: crypto.randomUUID(), group: target});
    answered = answered.filter((number) => number !== target); undone.push(result.undo);
    if (page === "home") { location.reload(); return; }
    tell(result.text, result); await next();
  } catch (error) { fail(error); } finally { setBusy(false); }
}
async function redo() {
  const number = undone.pop();
  if (busy || number === undefined) return;
  setBusy(true);
  try {
    const result = await ask("/api/undo", {key: crypto.randomUUID(), group: number});
    answered.push(result.undo); tell("Done again", result); await next();
  } catch (error) { fail(error); } finally { setBusy(false); }
}

// ---------------------------------------------------------------------------------------------- commands
const focused = () => document.activeElement.closest?.(".tile") || one("#card .tile");
function openPhoto() {
  const tile = focused()?.tile, dialog = one("#photo");
  if (!tile) return;
  one("#photo-text").textContent = tile.taken ? `Photo of ${tile.taken}` : "";
  dialog.showModal(); framePhoto(one(".frame", dialog), tile);
}
function tickAll() { if (unticked.size) unticked.clear(); else for (const tile of tilesOf(current)) unticked.set(tile.face, "reject"); update(); }
const commands = {
  "photo": openPhoto,
  "tick": () => toggle(focused()),
  "tick-all": tickAll,
  "not-a-face": () => current.kind === "pair" ? send({answer: "not_a_face", face: (document.activeElement.closest(".tile") || all(".side")[1].querySelector(".tile")).dataset.face}) : toggle(focused(), "not_a_face"),
  "hide": () => send({answer: "hide"}),
  "not-sure": () => send({answer: "not_sure"}),
  "yes": () => send({answer: "yes"}),
  "no": () => send({answer: "no"}),
  "confirm": () => send({answer: "confirm", tiles: current.tiles.map((tile) => ({face: tile.face, as: unticked.has(tile.face) ? "reject" : "confirm"}))}),
  "join-anyway": () => nameGroup(true),
  "other-name": () => { one("#card .same-photo").hidden = true; one("#name").select(); },
};
const KEYS = {
  group: {" ": "photo", t: "tick", a: "tick-all", x: "not-a-face", h: "hide", s: "not-sure"},
  pair: {" ": "photo", y: "yes", n: "no", s: "not-sure", h: "hide", x: "not-a-face"},
  grid: {" ": "photo", t: "tick", a: "tick-all", s: "not-sure", Enter: "confirm"},
};
const HELP = {Enter: "name, confirm or start", Space: "show the full photo", "← → ↑ ↓": "move between faces", T: "tick or untick",
  A: "tick all", "Y, N": "yes, no", S: "not sure", H: "hide", X: "not a face", "U, Shift+U": "undo, redo", Esc: "from the name to the faces", "?": "this list"};
function move(step) {
  const tiles = all("#card .tile"), index = tiles.indexOf(focused());
  const width = one("#card .tiles") ? getComputedStyle(one("#card .tiles")).gridTemplateColumns.split(" ").length : 1;
  const target = tiles[index + (Math.abs(step) === 2 ? Math.sign(step) * width : step)];
  if (!target) return;
  tiles.forEach((tile) => { tile.tabIndex = tile === target ? 0 : -1; });
  target.focus();
  const part = target.closest(".side");
  if (part) framePhoto(one(".frame", part), target.tile);
}
const ARROWS = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -2, ArrowDown: 2};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || ended) return;
  const open = one("dialog[open]"), field = event.target.matches("input[type=text]");
  if (open) { if (event.key === " " && open.id === "photo") { event.preventDefault(); open.close(); } return; }
  if (field) {
    if (event.key === "Escape") { one("#card .tile")?.focus(); event.preventDefault(); }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") { choose(chosen + (event.key === "ArrowDown" ? 1 : -1)); event.preventDefault(); }
    else if (event.key === "Enter" && (event.repeat || performance.now() - shownAt < DELAY)) event.preventDefault();
    return;
  }
  // A repeated Enter from the card before must never be an answer, also when a button has the focus.
  const early = event.repeat || (page === "review" && performance.now() - shownAt < DELAY);
  if (event.key === "Enter" && (early || event.target.dataset.do === "yes")) event.preventDefault();
  if (early) return;
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (letter.length === 1 && letter !== " " && !one("#letters").checked) return;
  if (event.key in ARROWS && current) { move(ARROWS[event.key]); event.preventDefault(); return; }
  if (letter === "u") { if (event.shiftKey) redo(); else undo(page === "home" ? one("[data-undo]")?.dataset.undo && Number(one("[data-undo]").dataset.undo) : undefined); return; }
  if (letter === "?") { one("#help").showModal(); return; }
  if (page === "home" && event.key === "Enter" && !event.target.closest("a, button")) { one("#start")?.click(); return; }
  const command = current && KEYS[current.kind][letter];
  if (!command || (letter === "Enter" && event.target.closest("button:not(.tile), a"))) return;
  if (letter === " " && event.target.closest("button:not(.tile), a")) return;
  event.preventDefault();
  commands[command]();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.do) commands[button.dataset.do]();
  else if (button.dataset.undo) undo(Number(button.dataset.undo));
  else if (button.id === "undo") undo();
  else if (button.classList.contains("tile")) {
    if (button.classList.contains("plain")) framePhoto(one(".frame", button.closest(".side")), button.tile);
    else toggle(button);
  } else if (button.id === "photo-close" || button.id === "help-close") button.closest("dialog").close();
});
one("#help-keys").append(...Object.entries(HELP).flatMap(([key, text]) => {
  const term = document.createElement("dt"), value = document.createElement("dd"), mark = document.createElement("kbd");
  mark.textContent = key; term.append(mark); value.textContent = text;
  return [term, value];
}));
if (page === "review") next().catch((error) => fail(error, () => next()));
})();
