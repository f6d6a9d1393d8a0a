// Every page needs this module: requests with the page's key, images kept in memory, photos with boxes, the dialogs,
// undo and redo, the search field, and the keys that work everywhere. Pages add keys with onKeys and commands to do.
export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];
export const clone = (id) => one("#" + id).content.firstElementChild.cloneNode(true);
export const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
export const page = document.body.dataset.page, notice = one("#notice");
const pageKey = one("meta[name=review-key]").content, live = one("#live");
const KEPT = 300, MISSING = 404, RETRY = 60000;
export const state = {ended: false, busy: false, reload: () => location.reload(), mayAct: () => true};

// ---------------------------------------------------------------------------------------------- server
export async function ask(path, body, type = "application/json") {
  const options = body === undefined ? {} : {
    method: "POST", body: body instanceof Blob ? body : JSON.stringify(body),
    headers: {"Content-Type": type, "X-Review": pageKey},
  };
  let response;
  try { response = await fetch(path, options); } catch {
    throw new Error("`catalog review` has ended. Start it again; your answers are saved.");
  }
  const value = await response.json().catch(() => ({}));
  if (response.status === 401) { state.ended = true; throw new Error(value.message); }
  if (response.status === 402 || response.status === 409) return {conflict: value};
  if (!response.ok) throw new Error(`Not written: ${value.message || response.status} ${value.remedy || ""}`);
  return value;
}
export function say(text, action, onAction) {
  notice.replaceChildren(text + " ");
  if (!action || state.ended) return;
  const button = document.createElement("button");
  button.type = "button"; button.className = "link"; button.textContent = action;
  button.onclick = () => { notice.replaceChildren(); onAction(); };
  notice.append(button);
}
export function fail(error, again) { say(error.message, again && "Try again", again); }
export function announce(text) { live.textContent = text; }

// ---------------------------------------------------------------------------------------------- images
const images = new Map();
export function image(url) {
  if (!images.has(url)) {
    images.set(url, fetch(url).then((r) => r.ok ? r.blob() : Promise.reject(r.status)).then((b) => URL.createObjectURL(b)));
    // A photo that is missing now is missing on the next card too: it is not asked for again for a minute.
    images.get(url).catch((status) => setTimeout(() => images.delete(url), status === MISSING ? RETRY : 0));
    for (const old of [...images.keys()].slice(0, Math.max(0, images.size - KEPT))) {
      images.get(old).then((blob) => URL.revokeObjectURL(blob), () => {});
      images.delete(old);
    }
  }
  return images.get(url);
}
export function fill(img, url) { image(url).then((blob) => { img.src = blob; }, () => img.parentElement.classList.add("missing")); }
const side = devicePixelRatio > 1 ? 384 : 192;
export const crop = (face) => `/crops/${encodeURIComponent(face)}/${side}`;
export function framePhoto(frame, tile) {
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
  image(`/images/${tile.sha256}/1280`).then((blob) => { img.src = blob; }, () => frame.classList.add("missing"));
}

// ---------------------------------------------------------------------------------------------- faces
export const focused = () => document.activeElement.closest?.(".tile") || one("main .tile");
export function tileOf(element) {
  const data = element.dataset;
  return element.tile || {face: data.face, sha256: data.sha256, taken: data.taken, box: data.box.split(" ").map(Number)};
}
export function openPhoto(element = focused()) {
  if (!element?.dataset.face) return;
  const tile = tileOf(element), dialog = one("#photo");
  one("#photo-text").textContent = tile.taken ? `Photo of ${tile.taken}` : "";
  one("#photo-page").href = `/photos/${tile.sha256}`;
  dialog.showModal(); framePhoto(one(".frame", dialog), tile);
}
export function move(step) {
  const tiles = all("main .tile"), index = tiles.indexOf(focused()), group = focused()?.closest(".tiles");
  const width = group ? getComputedStyle(group).gridTemplateColumns.split(" ").length : 1;
  const target = tiles[index + (Math.abs(step) === 2 ? Math.sign(step) * width : step)];
  if (!target) return null;
  tiles.forEach((tile) => { if (tile.tagName === "BUTTON") tile.tabIndex = tile === target ? 0 : -1; });
  target.focus();
  return target;
}
let holdTimer;
document.addEventListener("pointerdown", (event) => {
  const tile = event.pointerType === "touch" && event.target.closest("button.tile");
  if (tile) holdTimer = setTimeout(() => { openPhoto(tile); }, 400);
});
for (const name of ["pointerup", "pointercancel", "pointermove"]) document.addEventListener(name, () => clearTimeout(holdTimer));

// ---------------------------------------------------------------------------------------------- undo
const undone = () => JSON.parse(sessionStorage.getItem("undone") || "[]");
export function setBusy(is) { state.busy = is; one("#card")?.setAttribute("aria-busy", String(is)); }
export function forgetUndone() { sessionStorage.removeItem("undone"); }
export async function undo(target) {
  if (state.busy) return;
  setBusy(true);
  try {
    const body = Array.isArray(target) ? {groups: target} : target === undefined ? {} : {group: target};
    const result = await ask("/api/undo", {...body, key: crypto.randomUUID()});
    if (result.conflict) {
      say(result.conflict.message, `Undo all ${result.conflict.groups?.length || ""}`, () => undo(result.conflict.groups));
      return;
    }
    sessionStorage.setItem("undone", JSON.stringify([...undone(), result.undo]));
    await state.reload(result.text, result);
  } catch (error) { fail(error); } finally { setBusy(false); }
}
export async function redo() {
  const numbers = undone(), number = numbers.pop();
  if (state.busy || number === undefined) return;
  setBusy(true);
  try {
    const result = await ask("/api/undo", {key: crypto.randomUUID(), group: number});
    sessionStorage.setItem("undone", JSON.stringify(numbers));
    await state.reload("Done again", result);
  } catch (error) { fail(error); } finally { setBusy(false); }
}

// ---------------------------------------------------------------------------------------------- keys and clicks
export const commands = {};
let keysOf = () => ({}), onArrow = move, going = false;
export function onKeys(keys, arrow = move) { keysOf = keys; onArrow = arrow; }
const ARROWS = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -2, ArrowDown: 2};
const PLACES = {r: "/", p: "/people", w: "/watch", f: "/photos", h: "/history"};
const HELP = {Enter: "name, confirm or start", Space: "show the full photo", "← → ↑ ↓": "move between faces", T: "tick, untick or pick",
  A: "tick or pick all", "Y, N": "yes, no", S: "not sure", H: "hide", X: "not a face", M: "move to a person", P: "split off", R: "rename the person",
  J: "join with a person", "C, D": "confirm or dismiss a hit", "U, Shift+U": "undo, redo", "/": "search",
  "G, then R, P, F, W, H": "go to review, people, photos, watch list, history", Esc: "from the name to the faces; clear", "?": "this list"};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || state.ended) return;
  const open = one("dialog[open]"), field = event.target.matches("input:not([type=checkbox]):not([type=file])");
  if (open) { if (event.key === " " && open.id === "photo" && !event.target.matches("a")) { event.preventDefault(); open.close(); } return; }
  if (field) return;
  const isEnter = event.key === "Enter", early = event.repeat || !state.mayAct();
  // A repeated Enter from the card before must never be an answer, also when a button has the focus.
  if (isEnter && (early || event.target.dataset.do === "yes")) event.preventDefault();
  if (early) return;
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (letter.length === 1 && letter !== " " && !one("#letters").checked) return;
  if (going) { going = false; if (PLACES[letter]) { location.href = PLACES[letter]; return; } }
  if (event.key in ARROWS && one("main .tile")) { onArrow(ARROWS[event.key]); event.preventDefault(); return; }
  if (letter === "u") { if (event.shiftKey) redo(); else undo(); return; }
  if (letter === "?") { one("#help").showModal(); return; }
  if (letter === "/") { one("#query").focus(); event.preventDefault(); return; }
  if (letter === "g") { going = true; return; }
  const command = keysOf()[letter];
  if (!command || ((isEnter || letter === " ") && event.target.closest("button:not(.tile), a, summary, input"))) return;
  event.preventDefault();
  commands[command](event);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.do && commands[button.dataset.do]) commands[button.dataset.do](event);
  else if (button.dataset.undo) undo(Number(button.dataset.undo));
  else if (button.id === "undo") undo();
  else if (["photo-close", "help-close", "who-close"].includes(button.id)) button.closest("dialog").close();
});
one("#search").onsubmit = (event) => {
  event.preventDefault();
  location.href = `/people?q=${encodeURIComponent(one("#query").value.trim())}`;
};
one("#letters").onchange = (event) => localStorage.setItem("letters", event.target.checked);
one("#letters").checked = localStorage.getItem("letters") !== "false";
one("#help-keys").append(...Object.entries(HELP).flatMap(([key, text]) => {
  const term = document.createElement("dt"), value = document.createElement("dd"), mark = document.createElement("kbd");
  mark.textContent = key; term.append(mark); value.textContent = text;
  return [term, value];
}));
