/** What a compressed picture says of itself. */
export interface CodestreamSize {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  /** Bits of a sample. */
  readonly precision: number;
}

/**
 * The size that a JPEG, JPEG-LS or JPEG 2000 codestream announces, read before any decoder allocates for it; undefined where it announces none.
 *
 * @source ITU-T T.81, annex B.2.2; T.87, annex C; T.800, annex A.5.1
 */
export function codestreamSize(bytes: Uint8Array): CodestreamSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return bytes[0] === 0xff && bytes[1] === 0xd8 ? jpegSize(view) : jpeg2000Size(view);
}

function jpegSize(view: DataView): CodestreamSize | undefined {
  for (let at = 2; at + 10 <= view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    // Any number of FF may stand in front of a marker.
    if (marker === 0xff) at++;
    else if (isFrame(marker)) {
      return { precision: view.getUint8(at + 4), rows: view.getUint16(at + 5), columns: view.getUint16(at + 7), components: view.getUint8(at + 9) };
    } else at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

/** SOF0 to SOF15 without DHT, JPG and DAC; SOF55 of JPEG-LS. */
function isFrame(marker: number): boolean {
  return (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) || marker === 0xf7;
}

/** A codestream, or one in the boxes of a JP2 file. */
function jpeg2000Size(view: DataView): CodestreamSize | undefined {
  for (let at = 0; at + 43 <= Math.min(view.byteLength, 4096); at++) {
    if (view.getUint32(at) !== 0xff4fff51) continue;
    return {
      columns: view.getUint32(at + 8) - view.getUint32(at + 16),
      rows: view.getUint32(at + 12) - view.getUint32(at + 20),
      components: view.getUint16(at + 40),
      precision: (view.getUint8(at + 42) & 0x7f) + 1,
    };
  }
  return undefined;
}
