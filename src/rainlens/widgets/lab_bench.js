// What every lab does: it waits until it is seen, starts a worker, loads files, says how it fares.

import { h } from "./elements.js";
import { button } from "./lab_parts.js";

const PATIENCE = 700; // milliseconds without a change, before a screen reader is told

/** A file beside this script, as bytes; on a page opened as a file, its twin that is a script. */
async function fetchBytes(url) {
  const name = url.split("/").pop();
  if (new URL(url, document.baseURI).protocol === "file:") return loadScript(url, name);
  const response = await fetch(url).catch(() => null);
  if (response?.ok) return new Uint8Array(await response.arrayBuffer());
  const reason = response ? `the server answered ${response.status}` : "no connection";
  throw new Error(`${name} could not be loaded (${reason}): please try again.`);
}

function loadScript(url, name) {
  return new Promise((resolve, reject) => {
    const script = h("script", { src: `${url}.js` });
    script.onload = script.onerror = () => {
      script.remove();
      const text = globalThis.rainlensFiles?.[name];
      if (text) return resolve(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
      reject(new Error(
        `The browser does not let this page, opened as a file, read ${name}: read the book ` +
          "online, or serve its folder with “python -m http.server”.",
      ));
    };
    document.head.append(script);
  });
}

/**
 * A panel with a worker. `told` has the worker's script and the folder of the files. Whoever
 * extends it finds room for `notice` and `live`; `refresh` asks the worker, `hear` is answered.
 */
export class Bench {
  constructor(element, told) {
    this.element = element;
    this.told = told;
    this.loaded = new Map(); // file -> promise of what became of it
    this.notice = h("div", { class: "rl-notice", hidden: "" });
    this.live = h("p", { class: "rl-unseen", "aria-live": "polite" });
  }

  /** Loads nothing before the panel comes near the screen. */
  observe() {
    this.settle("idle");
    const sight = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      sight.disconnect();
      this.start();
    }, { rootMargin: "200px" });
    sight.observe(this.element);
  }

  start() {
    const source = new Blob([this.told.worker], { type: "text/javascript" });
    const address = URL.createObjectURL(source);
    this.worker = new Worker(address);
    URL.revokeObjectURL(address);
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = () => this.fail(new Error("The browser does not start a worker here."));
    this.refresh();
  }

  /** A promise of what `read` makes of a file, which is loaded once. */
  once(file, read) {
    if (!this.loaded.has(file)) {
      const promise = fetchBytes(`${this.told.folder}/${file}`).then(read);
      this.loaded.set(file, promise);
      promise.catch(() => this.loaded.delete(file)); // to be tried again
    }
    return this.loaded.get(file);
  }

  settle(status, message = "") {
    this.element.dataset.rlStatus = status;
    this.notice.hidden = !message;
    this.notice.setAttribute("role", status === "error" ? "alert" : "status");
    this.notice.replaceChildren(...(message ? [h("p", {}, message)] : []));
  }

  fail(error) {
    this.settle("error", error.message);
    this.notice.append(button("Try again", () => this.refresh()));
  }

  /** Tells a screen reader, once the reader's hand has rested for a moment. */
  announce(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.live.textContent = text()), PATIENCE);
  }

  refresh() {}

  hear(_message) {}
}
