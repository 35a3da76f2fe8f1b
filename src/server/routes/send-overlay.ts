import { basename, dirname } from "node:path";
import type { FastifyInstance } from "fastify";
import { ERROR_ANSWERS, fileAnswer } from "../answer-schemas.js";
import { findCaseVolume } from "../cases/find-case-volume.js";
import { renderOverlay } from "../cases/render-overlay.js";
import { httpError } from "../http-error.js";
import { type CaseParams, caseParams, findRun, type RouteContext } from "../route-context.js";

interface OverlayParams extends CaseParams {
  readonly kind: "gif" | "png";
}

const MOST_BYTES = 256 << 20;
/** `GET /api/runs/:run/cases/:case/overlay/:kind`: a predicted case drawn here and now: a film through all slices, or the slice that tells most. */
export function sendOverlay(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary:
      "A predicted case drawn on the server, ground truth beside prediction over the image: a film through its slices, or the most telling one.",
    params: caseParams("kind", ["gif", "png"]),
    response: {
      ...fileAnswer("The picture.", "image/gif", "image/png"),
      413: { description: "The files are too large to be drawn here.", content: ERROR_ANSWERS[400].content },
      422: { description: "The files do not fit together.", content: ERROR_ANSWERS[400].content },
    },
  };
  // Each takes seconds of a processor.
  const config = { rateLimit: { max: 20, timeWindow: "1 minute" } };
  server.get<{ Params: OverlayParams }>("/api/runs/:run/cases/:case/overlay/:kind", { schema, config }, async (request, reply) => {
    const run = findRun(context, request.params);
    const { case: id, kind } = request.params;
    const find = (volume: "image" | "label" | "prediction") => findCaseVolume(volume, id, run.folder, context);
    const [prediction, image, label] = [await find("prediction"), await find("image"), await find("label")];
    if (!prediction || !image) throw httpError(404, "dashboard", "case must be a predicted one whose image may be shown");
    if (prediction.bytes + image.bytes + (label?.bytes ?? 0) > MOST_BYTES)
      throw httpError(413, "dashboard", `files of the case must be at most ${MOST_BYTES} bytes to be drawn`);
    const classes = run.record.start?.classes ?? [];
    const picture = await renderOverlay(
      {
        id: basename(prediction.path).replace(/\.nii(\.gz)?$/, ""),
        image: image.path,
        ...(label && { label: label.path }),
        ...(image.reading && { reading: image.reading }),
        predictions: dirname(prediction.path),
        classes: classes.length >= 2 ? classes : ["background", "label 1"],
      },
      kind,
      context.closing,
    );
    reply.header("cache-control", "no-store").header("content-disposition", `inline; filename="overlay.${kind}"`);
    return reply.type(`image/${kind}`).send(picture);
  });
}
