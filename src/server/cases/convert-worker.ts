import { VoxError } from "../../core/errors.js";
import { elementCount } from "../../core/shape.js";
import { readHeader } from "../../io/read-header.js";
import { readLabel } from "../../io/read-label.js";
import { readLabelHeader } from "../../io/read-label-header.js";
import { readVolume } from "../../io/read-volume.js";
import { writeVolume } from "../../io/write-volume.js";
import type { ConversionJob } from "./volume-converter.js";

/** A process of its own, for the memory that whole volumes take and for what damaged files may do. */
process.once("message", async (job: ConversionJob) => {
  try {
    await convert(job);
    process.send!({ isDone: true });
  } catch (error) {
    const code = error instanceof VoxError ? error.code : "";
    process.send!({ isDone: false, code, message: error instanceof Error ? error.message : String(error) });
  }
  process.disconnect();
});

async function convert({ kind, path, image, reading, most, output }: ConversionJob): Promise<void> {
  const { gray, spacing } = reading ?? {};
  const options = { ...(gray !== undefined && { gray }), ...(spacing && { spacing }) };
  const on = image === undefined ? undefined : await readHeader(image, options);
  const header = kind === "label" ? await readLabelHeader(path, reading, on) : await readHeader(path, options);
  const [depth, height, width, channels] = header.shape;
  // Before anything is read: the header says what will be in memory.
  const bytes = elementCount(header.shape) * Float32Array.BYTES_PER_ELEMENT;
  if (bytes > most) throw new VoxError(`a volume must be at most ${most} bytes to be shown, got ${bytes}`, { code: "ERR_MEMORY", where: path });
  if (kind === "label") {
    const labels = new Uint16Array(elementCount(header.shape));
    readLabel(header, labels);
    await writeVolume(output, labels, [depth, height, width, 1], header.source, { kind: "label" });
    return;
  }
  const all = new Float32Array(elementCount(header.shape));
  readVolume(header, all, { nonFinite: "replace" });
  // The first channel is what the page draws.
  const voxels = channels === 1 ? all : Float32Array.from({ length: depth * height * width }, (_, i) => all[i * channels]!);
  const isWhole = voxels.every((value) => Number.isInteger(value) && Math.abs(value) <= 32767);
  await writeVolume(output, voxels, [depth, height, width, 1], header.source, { kind: isWhole ? "int16" : "float" });
}
