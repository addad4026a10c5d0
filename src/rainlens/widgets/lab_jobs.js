// The rain lab's work: it makes the rain, runs the networks, measures, and can be interrupted.
//
// Messages have a kind. "network" and "picture" bring what is needed, "run" and "map" ask for work,
// and "stop" ends it. Answers carry the number of their job, which is above 0; a job that a newer
// one of its kind overtakes is given up without an answer.

import { centre, median } from "./lab_filters.js";
import { readNetwork, Runner } from "./lab_network.js";
import { addRain, canvasSide, rainLayer, sparseNoise } from "./lab_rain.js";
import { score } from "./measures.js";

/** What can be done to a picture without a network; `clean` is the picture under the rain. */
const PLAIN = {
  untouched: ({ picture }) => picture,
  median: ({ picture, size }) => median(picture, size, size),
  exact: ({ clean }) => clean,
};

/** Answers what a page asks; `post` sends a message and the buffers that go with it. */
export class Lab {
  constructor(post) {
    this.post = post;
    this.networks = new Map();
    this.runners = new Map();
    this.newest = { run: 0, map: 0 };
    this.kept = new Map(); // what methods make of clean pictures: needed again for every rain
  }

  async hear(message) {
    const { kind } = message;
    try {
      if (kind === "network") this.networks.set(message.name, readNetwork(message.bytes));
      else if (kind === "picture") this.take(message);
      else if (kind === "stop") this.newest.map = 0;
      else {
        this.newest[kind] = message.job;
        await (kind === "run" ? this.run(message) : this.map(message));
      }
    } catch (error) {
      this.post({ kind, job: message.job, name: message.name, error: error.message });
    }
  }

  take({ values, size }) {
    this.picture = { values, size };
    this.newest = { run: 0, map: 0 };
    this.runners.clear(); // pictures of one size at a time: a runner holds some 30 MB
    this.kept.clear();
  }

  /** Rain on the picture, then what the method makes of it, with the measures. */
  async run({ job, method, rain }) {
    const isStale = () => this.newest.run !== job;
    const { values: clean, size } = this.picture;
    const noise = sparseNoise(rain.quantity, canvasSide(size), rain.seed);
    const rainy = addRain(clean, rainLayer(rain, size, noise), rain.weight, rain.tint);
    this.post({ kind: "rain", job, rainy, size });
    const started = performance.now();
    const output = await this.apply(method, rainy, clean, size, isStale);
    if (!output) return;
    const milliseconds = performance.now() - started;
    this.post({ kind: "output", job, output, size });
    const scores = await this.scored(method, output, rainy, clean, size, isStale);
    const usesVectors = this.runners.get(size)?.usesVectors;
    if (scores) this.post({ kind: "scores", job, scores, milliseconds, noise, usesVectors });
  }

  /** The contrast gain for many rains of one noise, on the middle of the picture, one by one. */
  async map({ job, method, rains, side }) {
    const isStale = () => this.newest.map !== job;
    const clean = centre(this.picture.values, this.picture.size, side);
    const noise = sparseNoise(rains[0].quantity, canvasSide(side), rains[0].seed);
    for (const [index, rain] of rains.entries()) {
      const rainy = addRain(clean, rainLayer(rain, side, noise), rain.weight, rain.tint);
      const output = await this.apply(method, rainy, clean, side, isStale);
      if (!output) return;
      const { contrast } = score(output, clean, rainy, clean);
      this.post({ kind: "cell", job, index, contrast, last: index === rains.length - 1 });
    }
  }

  async scored(method, output, rainy, clean, size, isStale) {
    const key = `${method} ${size}`;
    const known = this.kept.get(key) ?? await this.apply(method, clean, clean, size, isStale);
    if (!known) return null;
    this.kept.set(key, known);
    return score(output, known, rainy, clean);
  }

  async apply(method, picture, clean, size, isStale) {
    if (method in PLAIN) {
      await new Promise((resolve) => setTimeout(resolve));
      return isStale() ? null : PLAIN[method]({ picture, clean, size });
    }
    const network = this.networks.get(method);
    if (!network) throw new Error(`there is no network ${method}`);
    if (!this.runners.has(size)) this.runners.set(size, new Runner(size, size));
    return this.runners.get(size).run(network, picture, isStale);
  }
}
