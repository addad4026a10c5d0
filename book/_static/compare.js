// Pictures to wipe: of each .rl-pair inside a .rl-compare the second picture is laid over the
// first, and a slider moves the line between them. All pairs of a group move together, so that
// one gesture shows what a network does to each. Without this script the pictures of a pair stand
// side by side, and so they do on paper: the style sheet lays them over each other on screens only.
//
// A classic script, no module: browsers refuse to load a module into a page opened as a file.

"use strict";

(() => {
  const START = 50;

  /** A slider over a pair, with its visible line; `move` is called with the new percentage. */
  function slider(pair, move) {
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: 0, max: 100, step: 1, className: "rl-wipe" });
    input.setAttribute("aria-label", `${pair.dataset.title}: line between the two pictures`);
    input.addEventListener("input", () => move(Number(input.value)));
    // Some touch screens move a slider by its thumb alone; here all of the picture can be held.
    const follow = (event) => {
      if (event.buttons !== 1) return;
      const { left, width } = input.getBoundingClientRect();
      move(Math.round((100 * (event.clientX - left)) / width));
    };
    input.addEventListener("pointerdown", follow);
    input.addEventListener("pointermove", follow);
    const line = document.createElement("span");
    line.className = "rl-line";
    pair.append(input, line);
    return input;
  }

  /** Makes one group live. */
  function compare(group) {
    const pairs = [...group.querySelectorAll(".rl-pair")];
    const move = (wanted) => {
      const at = Math.min(100, Math.max(0, wanted));
      pairs.forEach((pair, index) => {
        pair.style.setProperty("--at", `${at}%`);
        inputs[index].value = String(at);
        const text = `${at} % rainy, ${100 - at} % ${pair.dataset.result}`;
        inputs[index].setAttribute("aria-valuetext", text);
      });
    };
    const inputs = pairs.map((pair) => slider(pair, move));
    move(START);
    group.classList.add("rl-live");
  }

  document.querySelectorAll(".rl-compare").forEach(compare);
})();
