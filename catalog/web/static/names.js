// The list of names below a field: existing persons first, then the new name; arrows choose, Enter or a click takes.
import {all, ask, fail, one, plural} from "./page.js";
export class NameList {
  // near: id of the person that the names are compared with, or none. offer: a person to offer before a letter is typed.
  constructor(field, list, {near = () => "", offer = () => null, take, onlyExisting = false}) {
    Object.assign(this, {field, list, near, offer, take, onlyExisting, options: [], chosen: 0, turn: 0});
    field.oninput = () => this.refresh();
    field.onkeydown = (event) => {
      const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
      if (step) { this.choose(this.chosen + step); event.preventDefault(); }
    };
  }
  get option() { return this.options[this.chosen]; }
  async refresh() {
    const text = this.field.value.trim(), turn = ++this.turn, offer = this.offer();
    let names = [];
    if (!text && offer) names = [offer];
    else if (text.length >= 2) {
      try { names = (await ask(`/api/names?q=${encodeURIComponent(text)}&near=${this.near()}`)).names; } catch (error) { fail(error); }
    }
    if (turn !== this.turn || !this.field.isConnected) return;
    this.options = names.map((name) => ({person: name.person, plain: name.name, text: text ? name.name : `Yes, ${name.name}`,
      note: [name.faces && plural(name.faces, "face"), name.similarity && `similarity ${Math.round(name.similarity)}`].filter(Boolean).join(", ")}));
    if (text && !this.onlyExisting) this.options.push({fresh: text, plain: text, text: `New person "${text}"`, note: ""});
    this.list.replaceChildren(...this.options.map((option, index) => {
      const item = document.createElement("li"), note = document.createElement("span");
      item.id = `${this.list.id}-${index}`; item.setAttribute("role", "option"); item.textContent = option.text;
      note.className = "note"; note.textContent = option.note; item.append(note);
      item.onclick = () => { this.choose(index); this.take(); };
      return item;
    }));
    this.choose(0);
  }
  choose(index) {
    this.chosen = Math.max(0, Math.min(index, this.options.length - 1));
    all("li", this.list).forEach((item, number) => item.setAttribute("aria-selected", String(number === this.chosen)));
    this.field.setAttribute("aria-expanded", String(this.options.length > 0));
    if (this.options.length) this.field.setAttribute("aria-activedescendant", `${this.list.id}-${this.chosen}`);
    else this.field.removeAttribute("aria-activedescendant");
  }
  // The chosen name as the server takes it; null if nothing is typed or chosen.
  async value() {
    const text = this.field.value.trim();
    if (text && this.options.at(-1)?.fresh !== text) await this.refresh();
    if (!this.option) return null;
    return this.option.person ? {person: this.option.person} : {new: this.option.fresh};
  }
}
