import type { FastifyInstance } from "fastify";
import { fileAnswer } from "../answer-schemas.js";
import { httpError } from "../http-error.js";
import { curveSeries, RUN_CURVES, type RunCurves } from "../live/curve-series.js";
import { findRun, type RouteContext, type RunParams, runParams } from "../route-context.js";

interface CurvesParams extends RunParams {
  readonly curves: RunCurves;
}

const params = {
  ...runParams,
  required: ["run", "curves"],
  properties: { ...runParams.properties, curves: { type: "string", enum: RUN_CURVES } },
} as const;

/** `GET /api/runs/:run/curves/:curves`: a PNG of the run's curves as they stand, drawn here with the shipped font: for reports and scripts. */
export function sendCurves(server: FastifyInstance, context: RouteContext): void {
  const schema = {
    summary: "A PNG of the run's curves as they stand: loss, scores, learning rate, or time per step.",
    params,
    response: fileAnswer("The picture.", "image/png"),
  };
  // Drawing takes tens of milliseconds of the only thread.
  const config = { rateLimit: { max: 60, timeWindow: "1 minute" } };
  server.get<{ Params: CurvesParams }>("/api/runs/:run/curves/:curves", { schema, config }, async (request, reply) => {
    const run = findRun(context, request.params);
    const series = curveSeries(run.record, request.params.curves);
    if (!series) throw httpError(404, "dashboard", "curves must be among those that the run has recorded");
    // Loaded when the first picture is wanted: the canvas takes 30 MB.
    const { curveFigure } = await import("../../evaluation/figures/curve-figure.js");
    const picture = await curveFigure({ ...series, title: `${series.title} of ${run.id}` });
    reply.header("cache-control", "no-store");
    return reply.type("image/png").send(Buffer.from(picture));
  });
}
