import { writeOverlays } from "../../evaluation/write-overlays.js";
import type { OverlayJob } from "./render-overlay.js";

/** A process of its own: a whole volume in memory would be more than all the rest of the dashboard. */
process.once("message", async ({ id, image, label, reading, predictions, classes, output }: OverlayJob) => {
  const files = { id, images: [image], ...(label !== undefined && { label }), ...(reading && { reading }) };
  const set = { classes, channels: 1, list: async () => [files] };
  try {
    await writeOverlays({ images: set, ...(label !== undefined && { labels: set }), predictions, classes, ids: [id], output });
    process.send!({ isDone: true });
  } catch (error) {
    process.send!({ isDone: false, message: error instanceof Error ? error.message : String(error) });
  }
  process.disconnect();
});
