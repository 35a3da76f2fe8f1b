/**
 * Decodes an RLE frame: one run-length coded plane of bytes for each byte of each sample, the most significant first.
 *
 * @returns samples in little-endian order, one plane for each color
 * @throws `Error` with the reason
 * @source DICOM PS3.5, annex G
 */
export function decodeRle(bytes: Uint8Array, pixels: number, samples: number, sampleBytes: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const planes = samples * sampleBytes;
  const count = bytes.length >= 64 ? view.getUint32(0, true) : 0;
  if (count !== planes) throw new Error(`${count} segments instead of ${planes}`);
  const out = new Uint8Array(pixels * planes);
  for (let plane = 0; plane < planes; plane++) {
    const from = view.getUint32(4 + 4 * plane, true);
    const to = plane + 1 < planes ? view.getUint32(8 + 4 * plane, true) : bytes.length;
    if (from < 64 || to > bytes.length || from > to) throw new Error(`segment ${plane + 1} from byte ${from} to ${to} of ${bytes.length}`);
    const sample = Math.floor(plane / sampleBytes);
    const byte = sampleBytes - 1 - (plane % sampleBytes);
    unpack(bytes, from, to, out, sample * pixels * sampleBytes + byte, sampleBytes, pixels);
  }
  return out;
}

/** PackBits: n ≥ 0 copies n + 1 bytes, n < 0 repeats one byte 1 - n times, -128 does nothing. */
function unpack(bytes: Uint8Array, from: number, to: number, out: Uint8Array, first: number, stride: number, pixels: number): void {
  let at = first;
  const end = first + pixels * stride;
  let n = from;
  while (at < end) {
    if (n >= to) throw new Error(`${(at - first) / stride} of ${pixels} bytes in a segment`);
    const control = bytes[n++]!;
    if (control === 128) continue;
    const run = control < 128 ? control + 1 : 257 - control;
    const room = Math.min(run, (end - at) / stride);
    if (control < 128) {
      if (n + room > to) throw new Error("the end of a segment within a run");
      for (let i = 0; i < room; i++, at += stride) out[at] = bytes[n + i]!;
      n += run;
    } else {
      if (n >= to) throw new Error("the end of a segment within a run");
      const value = bytes[n++]!;
      for (let i = 0; i < room; i++, at += stride) out[at] = value;
    }
  }
}
