// The code book: which of its rows lie nearest to a latent, and to each other.

/** `book`: Float32Array (count, length). Finds rows by the square of the distance. */
export class Book {
  constructor({ shape: [count, length], values }) {
    this.count = count;
    this.length = length;
    this.rows = values;
  }

  row(code) {
    return this.rows.subarray(code * this.length, (code + 1) * this.length);
  }

  /** The squared distance of a vector to every row. */
  distances(vector) {
    const found = new Float64Array(this.count);
    for (let code = 0, at = 0; code < this.count; code++) {
      let sum = 0;
      for (let c = 0; c < this.length; c++) sum += (vector[c] - this.rows[at++]) ** 2;
      found[code] = sum;
    }
    return found;
  }

  /** The nearest row at each place of a grid (length, h, w): its codes, one a place. */
  codes(grid) {
    const places = grid.length / this.length;
    const vector = new Float32Array(this.length);
    return Uint16Array.from({ length: places }, (_, place) => {
      for (let c = 0; c < this.length; c++) vector[c] = grid[c * places + place];
      const found = this.distances(vector);
      let best = 0;
      for (let code = 1; code < this.count; code++) if (found[code] < found[best]) best = code;
      return best;
    });
  }

  /** The `many` other codes whose rows are most like that of a code, the nearest first. */
  neighbours(code, many) {
    const found = this.distances(this.row(code));
    const others = Array.from(found.keys()).filter((other) => other !== code);
    return others.sort((a, b) => found[a] - found[b]).slice(0, many);
  }

  /** Codes, one a place, as a grid of rows (length, h, w). */
  grid(codes) {
    const grid = new Float32Array(this.length * codes.length);
    codes.forEach((code, place) => {
      const row = this.row(code);
      for (let c = 0; c < this.length; c++) grid[c * codes.length + place] = row[c];
    });
    return grid;
  }
}
