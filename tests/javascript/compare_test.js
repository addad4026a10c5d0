// The arithmetic of the pictures to wipe, on a page of stand-ins.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

/** As much of an element as the script asks for. */
class Element {
  constructor(title = "", result = "") {
    this.dataset = { title, result };
    this.attributes = {};
    this.handlers = {};
    this.children = [];
    this.set = {};
    this.style = { setProperty: (name, value) => (this.set[name] = value) };
    this.classList = { add: (name) => (this.className = name) };
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  addEventListener(name, handler) {
    this.handlers[name] = handler;
  }

  append(...nodes) {
    this.children.push(...nodes);
  }

  getBoundingClientRect() {
    return { left: 100, width: 400 };
  }
}

const groups = []; // those that the page has
Object.defineProperty(globalThis, "document", {
  value: { createElement: () => new Element(), querySelectorAll: () => groups },
});
const script = await readFile(new URL("../../book/_static/compare.js", import.meta.url), "utf8");

/** A group of two pairs: the pairs, and their sliders. */
function group() {
  const pairs = [new Element("trained on few", "A"), new Element("trained on many", "B")];
  groups.splice(0, 1, { querySelectorAll: () => pairs, classList: { add: () => {} } });
  new Function(script)(); // as a page runs it
  return { pairs, inputs: pairs.map((pair) => pair.children[0]) };
}

const at = (pairs) => pairs.map((pair) => pair.set["--at"]);

test("a group begins in the middle", () => {
  const { pairs, inputs } = group();
  assert.deepEqual(at(pairs), ["50%", "50%"]);
  assert.deepEqual(inputs.map((input) => input.value), ["50", "50"]);
});

test("all pairs follow one slider, and say so", () => {
  const { pairs, inputs } = group();
  inputs[1].value = "20";
  inputs[1].handlers.input();
  assert.deepEqual(at(pairs), ["20%", "20%"]);
  assert.deepEqual(inputs.map((input) => input.attributes["aria-valuetext"]),
    ["20 % rainy, 80 % A", "20 % rainy, 80 % B"]);
});

test("a held picture puts the line under the pointer, and the line stays within", () => {
  const { pairs, inputs } = group();
  const hold = (clientX, buttons = 1) => inputs[0].handlers.pointermove({ clientX, buttons });
  hold(201);
  assert.deepEqual(at(pairs), ["25%", "25%"]); // 101 of 400 pixels, in whole percent
  hold(50);
  assert.deepEqual(at(pairs), ["0%", "0%"]);
  hold(600);
  assert.deepEqual(at(pairs), ["100%", "100%"]);
  hold(300, 0);
  assert.deepEqual(at(pairs), ["100%", "100%"]);
});
