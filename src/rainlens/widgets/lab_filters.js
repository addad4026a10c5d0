// What the rain lab does to a picture (3, H, W) without a network.

/** Of 5x5 values, channel by channel, the one in the middle; borders are repeated. */
export function median(picture, height, width, reach = 2) {
  const near = new Float32Array((2 * reach + 1) ** 2);
  const within = (place, length) => Math.min(length - 1, Math.max(0, place));
  return picture.map((_, i) => {
    const x = i % width, y = Math.floor(i / width) % height;
    const plane = i - y * width - x;
    let count = 0;
    for (let dy = -reach; dy <= reach; dy++) {
      const row = plane + within(y + dy, height) * width;
      for (let dx = -reach; dx <= reach; dx++) {
        const value = picture[row + within(x + dx, width)];
        let at = count++;
        for (; at > 0 && near[at - 1] > value; at--) near[at] = near[at - 1];
        near[at] = value;
      }
    }
    return near[near.length >> 1];
  });
}

/** The middle `side` x `side` pixels of a picture (3, size, size). */
export function centre(picture, size, side) {
  const start = (size - side) >> 1;
  const crop = new Float32Array(3 * side * side);
  for (let row = 0; row < 3 * side; row++) {
    const channel = Math.floor(row / side), y = start + (row % side);
    const from = (channel * size + y) * size + start;
    crop.set(picture.subarray(from, from + side), row * side);
  }
  return crop;
}
