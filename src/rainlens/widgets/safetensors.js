// Weight files: 8 bytes of header length, a JSON header, raw data.

const SIZES = { I8: 1, U8: 1, F16: 2, F32: 4 };
const BYTES = { I8: Int8Array, U8: Uint8Array };

/** Decodes one tensor of `view` into a Float32Array; half precision is widened, bit by bit. */
function decode(view, start, count, dtype) {
  if (dtype in BYTES) {
    return Float32Array.from(new BYTES[dtype](view.buffer, view.byteOffset + start, count));
  }
  const values = new Float32Array(count);
  if (dtype === "F32") {
    for (let i = 0; i < count; i++) values[i] = view.getFloat32(start + 4 * i, true);
    return values;
  }
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < count; i++) {
    const half = view.getUint16(start + 2 * i, true);
    const magnitude = half & 0x7fff;
    // Below 2^-14 half precision has no leading one: such numbers are multiples of 2^-24.
    if (magnitude < 0x400) values[i] = (half & 0x8000 ? -magnitude : magnitude) * 2 ** -24;
    else bits[i] = ((half & 0x8000) << 16) | ((magnitude << 13) + 0x38000000);
  }
  return values;
}

/** Reads a weight file: {metadata, tensors: {name: {shape, values}}}. Throws on damage. */
export function readWeights(source) {
  const view = ArrayBuffer.isView(source)
    ? new DataView(source.buffer, source.byteOffset, source.byteLength)
    : new DataView(source);
  if (view.byteLength < 8) throw new Error("the file is too short");
  const length = view.getUint32(0, true);
  if (view.getUint32(4, true) !== 0 || 8 + length > view.byteLength) {
    throw new Error("its header is damaged");
  }
  const text = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + 8, length));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(text);
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(entries)) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (to - from !== count * SIZES[dtype] || 8 + length + to > view.byteLength) {
      throw new Error(`its tensor ${name} is damaged`);
    }
    tensors[name] = { shape, values: decode(view, 8 + length + from, count, dtype) };
  }
  return { metadata, tensors };
}
