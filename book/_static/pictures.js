// Every picture of a gallery opens large, and another of the same gallery can be wiped over it: what
// went in over what came out. Without this script the pictures stay where they are.
//
// A classic script, no module: browsers refuse to load a module into a page opened as a file.

"use strict";

(() => {
  const BEFORE = /\b(rainy|input|noisy|before)\b/i; // what a picture is compared with at first
  const NONE = -1;

  /** The pictures that stand in one row of a gallery: those up to the next title. */
  function rowOf(tiles, chosen) {
    const row = [];
    for (const tile of tiles) {
      if (!tile.image) {
        if (row.includes(chosen)) break;
        row.length = 0;
      } else row.push(tile);
    }
    return row;
  }

  /** The tiles of a gallery in order, titles of rows without an image. */
  function tilesOf(gallery) {
    return [...gallery.children].map((cell) => ({
      image: cell.querySelector("img"),
      label: (cell.querySelector("div") ?? cell).textContent.trim(),
    }));
  }

  /** The picture to compare with at first: what went in, or else what should come out. */
  function partnerOf(tiles, chosen) {
    const others = rowOf(tiles, chosen).filter((tile) => tile !== chosen);
    return others.find((tile) => BEFORE.test(tile.label)) ?? others.find((t) => /clean/i.test(t.label));
  }

  function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  /** The one dialog of a page; `open(tiles, place)` shows a picture of a gallery. */
  function makeViewer() {
    const under = element("img", { alt: "" });
    const over = element("img", { alt: "", className: "rl-over" });
    const line = element("span", { className: "rl-line" });
    const wipe = element("input", { type: "range", min: 0, max: 100, step: 1, className: "rl-wipe" });
    const stage = element("div", { className: "rl-stage" }, under, over, wipe, line);
    const name = element("p", { className: "rl-name", id: "rl-viewer-name" });
    const other = element("select");
    const choice = element("label", {}, "Compare with ", other);
    const [back, next] = ["Previous", "Next"].map((text) =>
      element("button", { type: "button", textContent: text }));
    const close = element("button", { type: "button", textContent: "Close" });
    const bar = element("div", { className: "rl-bar" }, choice, back, next, close);
    const dialog = element("dialog", { className: "rl-viewer" }, name, stage, bar);
    dialog.setAttribute("aria-labelledby", name.id);
    document.body.append(dialog);
    let pictures = [];
    let at = 0;
    let opener = null;

    function moveTo(percent) {
      const place = Math.min(100, Math.max(0, percent));
      stage.style.setProperty("--at", `${place}%`);
      wipe.value = String(place);
    }

    function draw() {
      const [chosen, partner] = [pictures[at], pictures[Number(other.value)]];
      under.src = chosen.image.src;
      under.alt = chosen.image.alt;
      stage.classList.toggle("rl-two", Boolean(partner));
      if (partner) {
        over.src = partner.image.src;
        wipe.setAttribute("aria-label", `Line between ${partner.label} on the left and ${chosen.label}`);
      } else over.removeAttribute("src");
      name.textContent = partner ? `${partner.label} | ${chosen.label}` : chosen.label;
    }

    function show(tiles, place) {
      pictures = tiles.filter((tile) => tile.image);
      at = place;
      const chosen = pictures[at];
      const partner = pictures.indexOf(partnerOf(tiles, chosen));
      other.replaceChildren(
        element("option", { value: NONE, textContent: "nothing" }),
        ...pictures.map((tile, index) => element("option", { value: index, textContent: tile.label }))
          .toSpliced(at, 1),
      );
      other.value = String(partner);
      back.onclick = () => show(tiles, (at + pictures.length - 1) % pictures.length);
      next.onclick = () => show(tiles, (at + 1) % pictures.length);
      moveTo(50);
      draw();
    }

    other.addEventListener("change", draw);
    wipe.addEventListener("input", () => moveTo(Number(wipe.value)));
    // Some touch screens move a slider by its thumb alone; here all of the picture can be held.
    const follow = (event) => {
      if (event.buttons !== 1) return;
      const { left, width } = wipe.getBoundingClientRect();
      moveTo(Math.round((100 * (event.clientX - left)) / width));
    };
    wipe.addEventListener("pointerdown", follow);
    wipe.addEventListener("pointermove", follow);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => opener?.focus());
    return (tiles, place, from) => {
      opener = from;
      show(tiles, place);
      dialog.showModal();
    };
  }

  const galleries = [...document.querySelectorAll('.rl-figure [role="group"]')].filter((group) =>
    group.querySelector("img.rl-photo"));
  if (!galleries.length || !globalThis.HTMLDialogElement) return;
  let open = null; // made when it is first wanted
  for (const gallery of galleries) {
    const tiles = tilesOf(gallery);
    tiles.filter((tile) => tile.image).forEach((tile, place) => {
      const button = element("button", { type: "button", className: "rl-open" });
      button.setAttribute("aria-label", `${tile.label}: open large`);
      tile.image.replaceWith(button);
      button.append(tile.image);
      button.addEventListener("click", () => {
        open ??= makeViewer();
        open(tiles, place, button);
      });
    });
  }
})();
