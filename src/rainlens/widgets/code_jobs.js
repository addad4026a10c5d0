// The code lab's work: it reads the file, decodes grids and single codes, and measures.
//
// "file" brings the file's bytes. "decode" asks for an output, "palette" for codes like one and
// for the tiles of codes. Answers carry the number of their job, which is above 0; a job that a
// newer one of its kind overtakes is given up without an answer.

import { Book } from "./code_book.js";
import { Decoder, readDecoder, scaled } from "./code_decoder.js";
import { SOURCES } from "./code_sources.js";
import { rms, score, WHITE } from "./measures.js";
import { readWeights } from "./safetensors.js";

const TILE = 8; // codes on each side of the small grid that shows what one code draws
const NEAR = 6; // codes most like one, in the palette
const PACKED = [0x1f, 0x8b]; // how a gzip file begins

/** A file's bytes; some servers unpack it on their own. */
async function unpacked(bytes) {
  if (PACKED.some((byte, i) => bytes[i] !== byte)) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Answers what a page asks; `post` sends a message. `plain`: no vectors, for tests. */
export class Codes {
  constructor(post, plain = false) {
    this.post = post;
    this.plain = plain;
    this.newest = { file: 0, decode: 0, palette: 0 };
    this.kept = new Map(); // outputs of clean pictures: needed again for every rainy one
    this.tiles = new Map();
  }

  async hear(message) {
    const { kind, job } = message;
    this.newest[kind] = job;
    try {
      if (kind === "file") await this.read(message);
      else if (kind === "decode") await this.decode(message);
      else await this.palette(message);
    } catch (error) {
      this.post({ kind, job, error: error.message });
    }
  }

  async read({ job, bytes }) {
    const { metadata, tensors } = readWeights(await unpacked(bytes));
    this.layers = readDecoder(tensors, Number(metadata.groups));
    this.book = new Book(tensors["quantize.embedding.weight"]);
    const { values: clean, shape: [, height, width] } = tensors.clean;
    this.clean = clean.map((value) => value / WHITE);
    this.rainy = tensors.rainy.values.map((value) => value / WHITE);
    this.latents = {};
    const codes = {};
    for (const { latent, dry } of Object.values(SOURCES)) {
      for (const name of [latent, dry]) {
        this.latents[name] = scaled(tensors[`latent.${name}`], tensors[`latent.${name}.scale`]);
        codes[name] ??= this.book.codes(this.latents[name].values);
      }
    }
    this.codes = codes;
    const [, rows, columns] = this.latents.clean.shape;
    this.decoder = new Decoder(this.layers, rows, columns, this.plain);
    this.small = new Decoder(this.layers, TILE, TILE, this.plain);
    const told = { height, width, rows, columns, codes, count: this.book.count };
    this.post({ kind: "file", job, clean: this.clean, rainy: this.rainy, ...told });
  }

  /** The output for a source, with the reader's codes at some places, and its measures. */
  async decode({ job, source, quantised, edits }) {
    const isStale = () => this.newest.decode !== job;
    const started = performance.now();
    const { latent, dry } = SOURCES[source];
    const output = await this.draw(latent, quantised, edits, isStale);
    if (!output) return;
    const milliseconds = performance.now() - started;
    const { usesVectors } = this.decoder;
    const difference = rms(output, this.clean);
    this.post({ kind: "output", job, output, difference, milliseconds, usesVectors });
    const response = await this.response(latent, dry, quantised, edits, output, isStale);
    if (response !== null) this.post({ kind: "response", job, response });
  }

  /** How much of the rain comes out again; not a number without rain, or with codes put in. */
  async response(latent, dry, quantised, edits, output, isStale) {
    if (latent === dry || edits.length) return NaN;
    const key = `${dry} ${quantised}`;
    const known = this.kept.get(key) ?? await this.draw(dry, quantised, [], isStale);
    if (!known) return null;
    this.kept.set(key, known);
    return score(output, known, this.rainy, this.clean).response;
  }

  draw(latent, quantised, edits, isStale) {
    if (!quantised) return this.decoder.run(this.latents[latent].values, isStale);
    const codes = this.codes[latent].slice();
    for (const [place, code] of edits) codes[place] = code;
    return this.decoder.run(this.book.grid(codes), isStale);
  }

  /** Codes like one; then the tiles of these and of others that are asked for, one by one. */
  async palette({ job, code, others }) {
    const isStale = () => this.newest.palette !== job;
    const near = this.book.neighbours(code, NEAR);
    this.post({ kind: "palette", job, near });
    for (const one of [code, ...near, ...others]) {
      if (!this.tiles.has(one)) {
        const grid = this.book.grid(new Uint16Array(TILE * TILE).fill(one));
        const tile = await this.small.run(grid, isStale);
        if (!tile) return;
        this.tiles.set(one, tile);
      }
      this.post({ kind: "tile", job, code: one, tile: this.tiles.get(one) });
    }
  }
}
