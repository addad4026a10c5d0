// 3x3 convolutions, made quick, for the networks that run in a page.
//
// Nearly all of the networks' time goes into these: four output channels and eight pixels at a time
// stay in registers. The loop exists twice, as WebAssembly with vectors, put together below, and as
// plain JavaScript for browsers that refuse it.

const TAPS = 9; // of a 3x3 kernel
export const OUTPUTS = 4; // computed at a time
const STEP = 8; // pixels computed at a time: widths must be multiples of it
const blockSize = (inputs) => OUTPUTS * (1 + TAPS * inputs); // four biases, then the weights

// ---------------------------------------------------------------------------------------------
// 1  The loop as WebAssembly: opcodes by name, and the bytes of a module with one function

const I32 = 0x7f, V128 = 0x7b, VOID = 0x40;
const get = (local) => [0x20, ...leb(local)];
const set = (local) => [0x21, ...leb(local)];
const constant = (value) => [0x41, ...leb(value, true)];
const ADD = [0x6a], SUBTRACT = [0x6b], MULTIPLY = [0x6c], IS_LESS = [0x49];
const VECTOR_ADD = [0xfd, 0xe4, 0x01], VECTOR_MULTIPLY = [0xfd, 0xe6, 0x01];
const load = (offset) => [0xfd, 0x00, 2, ...leb(offset)];
const spread = (offset) => [0xfd, 0x09, 2, ...leb(offset)]; // one number to all four lanes
const store = (offset) => [0xfd, 0x0b, 2, ...leb(offset)];
/** Repeats the body for as long as it leaves a number that is not 0. */
const loop = (...body) => [0x03, VOID, ...body.flat(), 0x0d, 0, 0x0b];

/** An integer as WebAssembly writes it: seven bits a byte, the lowest first. */
function leb(value, signed = false) {
  const bytes = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const last = signed ? (value === 0 && !(low & 0x40)) || (value === -1 && low & 0x40) : !value;
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

const sized = (...bytes) => [...leb(bytes.flat().length), ...bytes.flat()];
const section = (id, ...bytes) => [id, ...sized(...bytes)];
const named = (text) => sized(...new TextEncoder().encode(text));

/** The module: imports its memory as env.memory and exports `row`, which does as `plainRow`. */
function moduleBytes() {
  const [target, source, weights, inputs, width, plane, line] = [0, 1, 2, 3, 4, 5, 6];
  const [x, left, from, at, w] = [7, 8, 9, 10, 11];
  const [a, b, weight, sums] = [12, 13, 14, 15];
  const halves = [0, 1].flatMap((half) => [0, 1, 2, 3].map((output) => ({ half, output })));
  const sum = ({ half, output }) => sums + 2 * output + half;
  const tap = (dy, dx) => [
    ...get(at), ...load(4 * dx), ...set(a),
    ...get(at), ...load(4 * dx + 16), ...set(b),
    ...[0, 1, 2, 3].flatMap((output) => [
      ...get(w), ...spread(4 * (OUTPUTS * (3 * dy + dx) + output)), ...set(weight),
      ...[0, 1].flatMap((half) => [
        ...get(sum({ half, output })), ...get(half ? b : a), ...get(weight), ...VECTOR_MULTIPLY,
        ...VECTOR_ADD, ...set(sum({ half, output })),
      ]),
    ]),
  ];
  const channel = loop(
    get(from), set(at),
    ...[0, 1, 2].flatMap((dy) => [
      ...[0, 1, 2].map((dx) => tap(dy, dx)),
      get(at), get(line), ADD, set(at),
    ]),
    get(from), get(plane), ADD, set(from),
    get(w), constant(4 * OUTPUTS * TAPS), ADD, set(w),
    get(left), constant(1), SUBTRACT, set(left), get(left),
  );
  const row = loop(
    ...halves.map((one) => [...get(weights), ...spread(4 * one.output), ...set(sum(one))]),
    get(source), get(x), ADD, set(from),
    get(weights), constant(4 * OUTPUTS), ADD, set(w),
    get(inputs), set(left),
    channel,
    get(target), get(x), ADD, set(at),
    ...[0, 1, 2, 3].flatMap((output) => [
      ...[0, 1].map((half) => [...get(at), ...get(sum({ half, output })), ...store(16 * half)]),
      get(at), get(plane), ADD, set(at),
    ]),
    get(x), constant(4 * STEP), ADD, set(x),
    get(x), get(width), constant(4), MULTIPLY, IS_LESS,
  );
  const locals = [2, 5, I32, 3 + halves.length, V128];
  return new Uint8Array([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, 1, 0x60, 7, ...Array(7).fill(I32), 0), // a type: seven integers, no result
    ...section(2, 1, named("env"), named("memory"), 2, 0, 1),
    ...section(3, 1, 0),
    ...section(7, 1, named("row"), 0, 0),
    ...section(10, 1, sized(locals, row, 0x0b)),
  ]);
}

// ---------------------------------------------------------------------------------------------
// 2  The same loop in JavaScript

/**
 * One row of four output channels: target[o][x] = bias[o] + sum over inputs c and taps of
 * weight * source[c][y + dy][x + dx]. All places are counted in numbers, not bytes; `plane` and
 * `line` lead from a channel, and from a row, to the next. `weights` is where a block begins.
 */
function plainRow(values, target, source, weights, inputs, width, plane, line) {
  for (let o = 0; o < OUTPUTS; o += 2) {
    const p = target + o * plane, q = p + plane;
    values.fill(values[weights + o], p, p + width);
    values.fill(values[weights + o + 1], q, q + width);
    for (let c = 0; c < inputs; c++) {
      const w = weights + OUTPUTS * (1 + TAPS * c) + o;
      const a0 = values[w], a1 = values[w + 4], a2 = values[w + 8];
      const a3 = values[w + 12], a4 = values[w + 16], a5 = values[w + 20];
      const a6 = values[w + 24], a7 = values[w + 28], a8 = values[w + 32];
      const b0 = values[w + 1], b1 = values[w + 5], b2 = values[w + 9];
      const b3 = values[w + 13], b4 = values[w + 17], b5 = values[w + 21];
      const b6 = values[w + 25], b7 = values[w + 29], b8 = values[w + 33];
      const s = source + c * plane, t = s + line, u = t + line;
      let x0 = values[s], x1 = values[s + 1], y0 = values[t], y1 = values[t + 1];
      let z0 = values[u], z1 = values[u + 1];
      for (let x = 0; x < width; x++) {
        const x2 = values[s + x + 2], y2 = values[t + x + 2], z2 = values[u + x + 2];
        values[p + x] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * y0 + a4 * y1 + a5 * y2 +
          a6 * z0 + a7 * z1 + a8 * z2;
        values[q + x] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * y0 + b4 * y1 + b5 * y2 +
          b6 * z0 + b7 * z1 + b8 * z2;
        x0 = x1; x1 = x2; y0 = y1; y1 = y2; z0 = z1; z1 = z2;
      }
    }
  }
}

/** A place to compute in: `values`, and `row` over them. `plain` asks for JavaScript. */
export function workspace(numbers, plain) {
  try {
    if (plain) throw new Error("as asked for");
    const memory = new WebAssembly.Memory({ initial: Math.ceil(numbers / 16384) });
    const module = new WebAssembly.Module(moduleBytes());
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const row = /** @type {Function} */ (exports.row);
    return {
      usesVectors: true,
      values: new Float32Array(memory.buffer),
      row: (target, source, weights, inputs, width, plane, line) =>
        row(4 * target, 4 * source, 4 * weights, inputs, width, 4 * plane, 4 * line),
    };
  } catch { // no WebAssembly, no vectors in it, or a page that does not allow it
    const values = new Float32Array(numbers);
    return { usesVectors: false, values, row: (...places) => plainRow(values, ...places) };
  }
}

// ---------------------------------------------------------------------------------------------
// 3  A layer

/** A layer's weights (O, C, 3, 3) and biases (O,) in the order in which `row` reads them. */
export function pack({ shape: [outputs, inputs], values }, bias) {
  const blocks = Math.ceil(outputs / OUTPUTS);
  const packed = new Float32Array(blocks * blockSize(inputs));
  for (let o = 0; o < outputs; o++) {
    const start = Math.floor(o / OUTPUTS) * blockSize(inputs) + (o % OUTPUTS);
    packed[start] = bias.values[o];
    for (let tap = 0; tap < inputs * TAPS; tap++) {
      packed[start + OUTPUTS * (1 + tap)] = values[o * inputs * TAPS + tap];
    }
  }
  return { inputs, outputs, blocks, packed };
}

/**
 * How planes of one size lie in a workspace, each with a border of zeros: {height, width, line,
 * plane}; the last two are how many numbers lead to the next row and to the next plane.
 */
export function layout(height, width) {
  if (width % STEP) throw new Error(`The width must be a multiple of ${STEP}, not ${width}.`);
  return { height, width, line: width + 2, plane: (height + 2) * (width + 2) };
}

/**
 * One layer, from the stack of planes at `source` to the one at `target`, without its border.
 * `place` is a layout and a workspace, and has at `weights` room for those of a layer.
 */
export function convolve(place, { inputs, blocks, packed }, source, target) {
  const { values, row, weights: room, height, width, line, plane } = place;
  values.set(packed, room);
  for (let y = 0; y < height; y++) {
    for (let block = 0; block < blocks; block++) {
      const to = target + block * OUTPUTS * plane + (y + 1) * line + 1;
      const weights = room + block * blockSize(inputs);
      row(to, source + y * line, weights, inputs, width, plane, line);
    }
  }
}

/** Copies planes (C, H, W) without borders into or out of a stack, which has them. */
export function copyPlanes({ values, height, width, line, plane }, planes, stack, into) {
  for (let row = 0; row * width < planes.length; row++) {
    const channel = Math.floor(row / height), y = row % height;
    const inside = stack + channel * plane + (y + 1) * line + 1;
    const outside = planes.subarray(row * width, (row + 1) * width);
    if (into) values.set(outside, inside);
    else outside.set(values.subarray(inside, inside + width));
  }
}
