// The pages around the queue: picks and repairs of a person's faces, the menu of a face on a photo, bulk hide, watch
// hits, and the search by a dropped photo. A change reloads the page, which the server has made anew.
import {all, announce, ask, clone, commands, crop, fail, fill, focused, forgetUndone, one, onKeys, openPhoto, page, plural, say, state,
  undo} from "./page.js";
import {NameList} from "./names.js";
import {listen} from "./events.js";
const person = one("#person")?.dataset, photoFaces = one("#photo-faces"), picked = new Set();
const shown = (person || photoFaces?.dataset)?.seen, seen = () => Number(shown || 0);

// ---------------------------------------------------------------------------------------------- changes
// The result is shown on the page that is loaded next.
function done(text, address) {
  forgetUndone();
  sessionStorage.setItem("message", text);
  if (address && address !== location.pathname) location.href = address; else location.reload();
}
async function change(path, body, text, address) {
  if (state.busy) return null;
  state.busy = true;
  try {
    const result = await ask(path, {key: crypto.randomUUID(), ...body});
    if (!result.conflict) { done(text || result.text, address); return null; }
    if (result.conflict.error === "changed") { sessionStorage.setItem("message", `${result.conflict.message} Here is the new state.`); location.reload(); return null; }
    return result.conflict;
  } catch (error) { fail(error); return null; } finally { state.busy = false; }
}
const repair = (body, text, address) => change("/api/repairs", {seen: seen(), ...body}, text, address);

// ---------------------------------------------------------------------------------------------- the name dialog
// Asks for a name. run(name, allow) makes the change and returns a conflict, about which the dialog asks again.
function askName({title, note, submit, value = "", near = "", onlyExisting = false, run}) {
  const dialog = one("#who"), field = one("#who-name"), insist = one("#who-insist"), line = one(".insist", dialog);
  one("#who-title").textContent = title; one("#who-note").textContent = note; one("#who-submit").textContent = submit;
  field.value = value; insist.hidden = line.hidden = true;
  const list = new NameList(field, one("#who-names"), {near: () => near, onlyExisting, take: () => take()});
  list.refresh();
  async function take(allow = {}, forced) {
    const name = forced || await list.value();
    if (!name) return;
    const conflict = await run(name, allow, list.option?.plain);
    if (!conflict) return;
    one(".text", line).textContent = conflict.error === "same_photo" ? `${conflict.message} Is it a mirror, a collage or a photo of a photo?` : conflict.message;
    line.hidden = false;
    if (conflict.error === "same_photo") { insist.textContent = "Join anyway"; insist.onclick = () => take({...allow, same_photo: true}, name); }
    else if (conflict.error === "same_name") { insist.textContent = "Keep two people of one name"; insist.onclick = () => take({...allow, same_name: true}, name); }
    insist.hidden = !["same_photo", "same_name"].includes(conflict.error);
    if (!insist.hidden) insist.focus();
  }
  one("form", dialog).onsubmit = (event) => { event.preventDefault(); take(); };
  dialog.showModal(); field.focus(); field.select();
}
function askMove(faces, from, address) {
  const count = plural(faces.length, "face");
  askName({
    title: faces.length === 1 ? "This face is…" : `Move ${count}`, submit: `Move ${count}`, near: from || "",
    note: faces.length === 1 ? "Only this face changes." : "Only these faces change.",
    run: (name, allow, text) => repair({action: "move", faces, name, person: from || undefined, ...allow}, `${count} moved to ${text}`, address),
  });
}
function askRename(id, name, count) {
  const allFaces = count ? `All ${plural(count, "face")} get the new name.` : "All faces of this person get the new name.";
  askName({
    title: name ? `Rename ${name}?` : "Name this person", note: allFaces, submit: name ? "Rename person" : "Name person", value: name,
    run: (chosen, allow, text) => chosen.person
      ? repair({action: "merge", person: id, name: chosen, ...allow}, `Joined with ${text}`, person ? `/people/${chosen.person}` : undefined)
      : repair({action: "rename", person: id, name: chosen, ...allow}, `${text} named`),
  });
}

// ---------------------------------------------------------------------------------------------- one person
function updatePicks() {
  for (const tile of all(".tile.pick")) tile.setAttribute("aria-checked", String(picked.has(tile.dataset.face)));
  const bar = one("#picked");
  if (!bar) return;
  bar.hidden = picked.size === 0;
  one(".text", bar).textContent = `${plural(picked.size, "face")} picked.`;
  one(".kept", bar).textContent = `Only these faces change. ${person.name || "This person"} keeps ${Math.max(0, person.faces - picked.size)}.`;
  announce(picked.size ? `${picked.size} picked` : "");
}
let last = null;
function pick(tile, event) {
  const tiles = all(".tile.pick"), range = event?.shiftKey && last ? tiles.slice(...[tiles.indexOf(last), tiles.indexOf(tile)].sort((a, b) => a - b).map((n, i) => n + i)) : [tile];
  const adds = !picked.has(tile.dataset.face);
  for (const part of range) if (adds) picked.add(part.dataset.face); else picked.delete(part.dataset.face);
  last = tile;
  updatePicks();
}
const chosenFaces = () => picked.size ? [...picked] : focused()?.classList.contains("pick") && document.activeElement === focused() ? [focused().dataset.face] : [];
function withPicks(act) { const faces = chosenFaces(); if (faces.length) act(faces); else say("Pick a face first."); }
const menuOf = (event) => (event.target.closest(".menu") || event.target.closest("details")?.querySelector(".menu") || one("details[open] .menu"))?.dataset;
function withMenu(event, act) { const face = menuOf(event); if (face) act(face); else say("Open a face of the list first."); }

// ---------------------------------------------------------------------------------------------- watch hits
const hits = () => all("section.hit");
function reviewHit(event, hitState) {
  const hit = event.target.closest?.(".hit") || hits()[0];
  if (hit) change("/api/hits", {hit: Number(hit.dataset.hit), state: hitState}, hitState === "confirmed" ? "Hit confirmed" : "Hit dismissed");
}
function laterHit(event) {
  const hit = event.target.closest?.(".hit") || hits()[0], lastHit = hits().at(-1);
  if (!hit || hit === lastHit) return;
  lastHit.after(hit); hits()[0].focus();
}

// ---------------------------------------------------------------------------------------------- find by photo
let file = null;
async function find(paid = false) {
  const text = one("#found-text");
  one("#price").hidden = true; one("#found").hidden = true;
  text.textContent = "Searching…";
  let result;
  try { result = await ask(`/api/find${paid ? "?paid=yes" : ""}`, file, "application/octet-stream"); } catch (error) {
    text.textContent = error.message.replace("Not written: ", ""); return;
  }
  text.textContent = "";
  if (result.conflict) {
    one("#price .text").textContent = `This search costs up to ${result.conflict.dollars} US dollars.`;
    one("#price").hidden = false; one("#price button").focus();
    return;
  }
  text.textContent = result.faces.length ? `${plural(result.faces.length, "face")} found${result.tie ? "; the first two people are too similar to decide between them" : ""}.` : "No face matches.";
  one("#found").hidden = !result.faces.length;
  one("#found-people").replaceChildren(...result.persons.map((found) => {
    const item = document.createElement("li"), link = document.createElement("a"), note = document.createElement("span");
    link.href = `/people/${found.person}`; link.textContent = found.name || "No name"; link.dir = "auto";
    note.className = "second"; note.textContent = ` similarity ${found.similarity}, ${plural(found.faces, "face")}`;
    item.append(link, note);
    return item;
  }));
  one("#found-faces").replaceChildren(...result.faces.map((found, index) => {
    const tile = clone("tile");
    tile.setAttribute("aria-label", `Face ${index + 1} of ${result.faces.length}, ${found.name || "no name"}, similarity ${found.similarity}`);
    one(".caption", tile).textContent = `${found.similarity}${found.taken ? `, ${found.taken}` : ""}`;
    tile.onclick = () => { if (found.person) location.href = `/people/${found.person}`; };
    fill(one("img", tile), crop(found.face));
    return tile;
  }));
}
function takeFile(chosen) { if (chosen) { file = chosen; find(); } }
addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  if (page === "find") takeFile(event.dataTransfer.files[0]); else location.href = "/find";
});
one("#file")?.addEventListener("change", (event) => takeFile(event.target.files[0]));

// ---------------------------------------------------------------------------------------------- commands and keys
Object.assign(commands, {
  "photo": () => openPhoto(), "pick": (event) => pick(focused(), event), "clear": () => { picked.clear(); updatePicks(); },
  "pick-all": () => { const tiles = all(".tile.pick"), full = picked.size === tiles.length; picked.clear(); if (!full) for (const tile of tiles) picked.add(tile.dataset.face); updatePicks(); },
  "move": () => withPicks((faces) => askMove(faces, person.person)),
  "split": () => withPicks((faces) => repair({action: "split", person: person.person, faces})),
  "not-a-face": () => withPicks((faces) => repair({action: "not_a_face", person: person.person, faces})),
  "rename": () => askRename(person.person, person.name, Number(person.faces)),
  "join": () => askName({title: `Join ${person.name || "this person"} with…`, note: "The two become one person. Undo parts them again.", submit: "Join", near: person.person, onlyExisting: true,
    run: (name, allow, text) => repair({action: "merge", person: person.person, name, ...allow}, `Joined with ${text}`, `/people/${name.person}`)}),
  "hide": () => repair({action: person.hidden === "1" ? "unhide" : "hide", person: person.person}),
  "move-face": (event) => withMenu(event, (face) => askMove([face.face], face.person)),
  "rename-face-person": (event) => withMenu(event, (face) => askRename(face.person, face.name, 0)),
  "split-face": (event) => withMenu(event, (face) => repair({action: "split", person: face.person, faces: [face.face]})),
  "not-a-face-face": (event) => withMenu(event, (face) => repair({action: "not_a_face", faces: [face.face]})),
  "add-person": () => askName({title: "Photos with…", note: "Only photos that show all chosen people.", submit: "Show", onlyExisting: true,
    run: (name) => { const link = one("[data-do=add-person]").dataset.link; location.href = `${link}${link.includes("?") ? "&" : "?"}with=${name.person}`; }}),
  "hide-strangers": () => {
    const data = one("#strangers").dataset, limit = data.photo ? {photo: data.photo} : data.album ? {album: data.album} : {fewer_than: Number(data.fewerThan)};
    change("/api/strangers", {...limit, count: Number(data.count)});
  },
  "confirm-hit": (event) => reviewHit(event, "confirmed"), "dismiss-hit": (event) => reviewHit(event, "dismissed"), "later-hit": laterHit,
  "pay": () => find(true), "start": () => one("#start")?.click(),
});
const KEYS = {
  home: {Enter: "start"}, strangers: {Enter: "hide-strangers"}, watch: {c: "confirm-hit", d: "dismiss-hit", s: "later-hit"},
  person: {" ": "photo", t: "pick", a: "pick-all", m: "move", p: "split", x: "not-a-face", r: "rename", j: "join", h: "hide", Escape: "clear"},
  photo: {m: "move-face", x: "not-a-face-face", p: "split-face", r: "rename-face-person"}, expressions: {" ": "photo"},
};
onKeys(() => KEYS[page] || {});
one("main").addEventListener("click", (event) => {
  const tile = event.target.closest("button.tile");
  if (tile?.classList.contains("pick") && !one("dialog[open]")) pick(tile, event);
  else if (tile && page === "expressions") openPhoto(tile);
});
state.reload = (text) => done(text || "Undone");
const message = sessionStorage.getItem("message");
if (message) { sessionStorage.removeItem("message"); say(`${message}.`.replace("..", "."), "Undo", () => undo()); announce(message); }
listen((event) => {
  if (state.busy || one("dialog[open]") || picked.size || event.seen <= seen()) return;
  if (["home", "history"].includes(page)) location.reload();
  else if (person || photoFaces) say("Something was changed in another window.", "Show the new state", () => location.reload());
}, () => shown === undefined ? null : seen());
