"use strict";
// Search: hides the people whose names do not hold every word that was typed. Accents and case do not matter.
(() => {
  const field = document.getElementById("search");
  if (!field) return;
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const people = [...document.querySelectorAll("#people li[data-name]")].map((li) => [li, plain(li.dataset.name)]);
  const found = document.getElementById("found");
  field.addEventListener("input", () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [li, name] of people) {
      const hit = words.every((word) => name.includes(word));
      li.hidden = !hit;
      count += hit;
    }
    found.textContent = words.length ? `${count} found` : "";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); }
  });
})();
// Photos: a section for each month; its photos are put there when it comes near the screen, and taken away again.
(() => {
  const place = document.getElementById("photos");
  const source = document.getElementById("data");
  if (!place || !source) return;
  const data = JSON.parse(source.textContent);
  const up = place.dataset.up;
  const photos = data.photos;
  const make = (tag, name, parent) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (parent) parent.append(made);
    return made;
  };
  const drawFaces = (parent, photo, named) => {
    for (const [left, top, width, height, person] of photo[5]) {
      const page = named && person >= 0 && data.pages[person];
      const box = make(page ? "a" : "div", "face", parent);
      if (page) { box.href = `${up}people/${page}.html`; box.setAttribute("aria-label", data.people[person]); }
      box.style.left = `${left / 10}%`; box.style.top = `${top / 10}%`;
      box.style.width = `${width / 10}%`; box.style.height = `${height / 10}%`;
      if (named && person >= 0) {
        const label = make("b", "", box);
        label.textContent = data.people[person];
        label.dir = "auto";
      }
    }
  };
  const title = (photo) => {
    const people = [...new Set(photo[5].map((face) => data.people[face[4]]).filter(Boolean))];
    return [photo[3].replace("T", " ") || "no date", data.albums[photo[1]] + photo[2], people.join(", ")].filter(Boolean).join(" · ");
  };
  const months = new Map();
  photos.forEach((photo, index) => {
    const month = photo[3].slice(0, 7) || "without a date";
    if (!months.has(month)) months.set(month, []);
    months.get(month).push(index);
  });
  const ROWS = 60;
  const fill = (grid) => {
    if (grid.childElementCount) return;
    for (let index = +grid.dataset.from; index < +grid.dataset.to; index++) {
      const photo = photos[index];
      const button = make("button", "photo", grid);
      button.type = "button";
      button.dataset.index = index;
      button.style.aspectRatio = photo[4];
      const picture = make("img", "", button);
      picture.loading = "lazy"; picture.decoding = "async"; picture.alt = title(photo); picture.src = up + photo[0];
      drawFaces(button, photo, false);
    }
    grid.style.minHeight = "";
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const grid = entry.target;
      if (entry.isIntersecting) fill(grid);
      else if (grid.childElementCount && !grid.contains(document.activeElement)) {
        grid.style.minHeight = `${grid.offsetHeight}px`;
        grid.replaceChildren();
      }
    }
  }, { rootMargin: "1500px" });
  for (const [month, indices] of months) {
    const section = make("section", "month", place);
    make("h3", "", section).textContent = `${month} (${indices.length})`;
    for (let start = 0; start < indices.length; start += ROWS) {
      const grid = make("div", "grid", section);
      const end = Math.min(start + ROWS, indices.length);
      grid.dataset.from = indices[start];
      grid.dataset.to = indices[end - 1] + 1;
      grid.style.minHeight = `${Math.ceil((end - start) / Math.max(1, Math.floor(innerWidth / 220))) * 150}px`;
      watcher.observe(grid);
    }
  }
  // Viewer: one photo large, with the names; the arrow keys go on and back.
  const viewer = document.getElementById("viewer");
  const picture = document.getElementById("viewer-picture");
  const faces = document.getElementById("viewer-faces");
  const text = document.getElementById("viewer-text");
  let shown = 0;
  const show = (index) => {
    if (index < 0 || index >= photos.length) return;
    shown = index;
    const photo = photos[index];
    picture.src = up + photo[0];
    picture.alt = title(photo);
    picture.style.aspectRatio = photo[4];
    picture.style.width = `min(88vw, ${78 * photo[4]}vh, 60rem)`;
    faces.replaceChildren();
    drawFaces(faces, photo, true);
    text.textContent = title(photo);
    if (!viewer.open) viewer.showModal();
  };
  place.addEventListener("click", (event) => {
    const button = event.target.closest(".photo");
    if (button) show(+button.dataset.index);
  });
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") show(shown + 1);
    else if (event.key === "ArrowLeft") show(shown - 1);
  });
  document.getElementById("viewer-back").addEventListener("click", () => show(shown - 1));
  document.getElementById("viewer-on").addEventListener("click", () => show(shown + 1));
  document.getElementById("viewer-close").addEventListener("click", () => viewer.close());
})();
