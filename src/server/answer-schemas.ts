/** Numbers that JSON cannot hold (a loss that diverged) become null. */
const number = { type: ["number", "null"] } as const;
const count = { type: "integer", minimum: 0 } as const;
const text = { type: "string" } as const;
const time = { type: "number", description: "Milliseconds since 1970." } as const;
const numbers = { type: "object", additionalProperties: number } as const;
const list = (items: object) => ({ type: "array", items }) as const;
const all = (properties: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}) => ({
  type: "object",
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
  additionalProperties: false,
});
const recent = (name: string) => all({ count, last: list({ $ref: `${name}#` }) });
const event = (name: string, properties: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}) => ({
  $id: `Event_${name}`,
  ...all({ t: time, type: { type: "string", const: name }, ...properties }, optional),
});

const stage = {
  $id: "StageReport",
  description: "One stage of a running graph; times and counts are totals since the run began.",
  ...all(
    {
      name: text,
      to: list(text),
      ...{ in: number, out: number, held: number, maxHeld: number, running: number, skipped: number },
      state: { type: "string", enum: ["busy", "blocked", "starved", "done"] },
      ...{ busyMs: number, blockedMs: number, starvedMs: number, workMs: number },
      knobs: numbers,
    },
    { counters: numbers },
  ),
};

const events = [
  event(
    "start",
    { run: text, seed: number, engine: text, epochs: number, classes: list(text), pid: number },
    { resumedAtStep: number, stepsPerEpoch: number },
  ),
  event(
    "step",
    { step: count, epoch: count, loss: number, metrics: numbers, learningRate: number, waitMs: number, stepMs: number },
    { remainingSeconds: number },
  ),
  event(
    "epoch",
    {
      ...{ epoch: count, step: count, loss: number, metrics: numbers, learningRate: number, seconds: number },
      ...{ remainingSeconds: number, waitShare: number },
    },
    { validationLoss: number, validationMetrics: numbers },
  ),
  event("stages", { stages: list({ $ref: "StageReport#" }), bytesInUse: number, budget: number, verdict: text }, { graph: text }),
  event("preview", { path: text, id: text, epoch: number }, { volumes: all({ image: text, label: text, prediction: text }) }),
  event("checkpoint", { kind: { type: "string", enum: ["latest", "best"] }, epoch: number, step: number, path: text }),
  event("skip", { id: text, stage: text, message: text }),
  event("warning", { message: text }),
  event("cases", {
    epoch: number,
    cases: list(all({ id: text, dice: { type: "object", additionalProperties: { type: "number" } } }, { path: text })),
  }),
  event("prediction", { id: text, path: text, seconds: number }),
  event("evaluation", { path: text, summary: { type: "null" } }),
  event("control", { command: { type: "string", enum: ["pause", "resume", "stop", "checkpoint", "samples"] }, id: text, step: number }),
  event("samples", { path: text, step: number, epoch: number, count: number }),
  event(
    "system",
    { cores: number, rssBytes: number, machineLoad: number, machineBytes: number, machineTotalBytes: number },
    { threads: number, gpus: list({ $ref: "Gpu#" }) },
  ),
  event("end", { status: { type: "string", enum: ["completed", "stopped", "failed"] } }, { message: text }),
] as const;

/** What the answers of the API look like, by name; routes refer to them, and the description of the API lists them. */
export const answerSchemas = [
  {
    $id: "Error",
    ...all({
      error: all({ code: text, message: { type: "string", description: "One sentence, such as: dashboard: run must be one of the list." } }),
    }),
  },
  {
    $id: "RunSummary",
    description: "One line of the list of runs.",
    ...all(
      {
        id: text,
        state: { type: "string", enum: ["running", "paused", "silent", "completed", "stopped", "failed", "empty"] },
        progress: { type: "number", minimum: 0, maximum: 1, description: "Share of the event file that has been read." },
        updated: time,
        classes: list(text),
        spark: { ...list(number), description: "A few dozen values of the loss." },
        ...{ warnings: count, skipped: count, corruptLines: count },
      },
      {
        ...{ started: time, engine: text, step: count, epoch: number, epochs: number, loss: number },
        best: all({ name: text, value: number, epoch: number, isValidation: { type: "boolean" } }),
        ...{ remainingSeconds: number, message: text },
      },
    ),
  },
  {
    $id: "Curves",
    description:
      "Curves over one axis in buckets: bucket i holds base + i * width <= x < base + (i + 1) * width. min and max are left out where a bucket holds at most one value.",
    ...all({
      ...{ capacity: count, width: count, base: number, rows: count, index: list(count), x: list(number), time: list(time) },
      columns: list(all({ name: text, count: list(count), mean: list(number) }, { min: list(number), max: list(number) })),
    }),
  },
  {
    $id: "Gpu",
    ...all({ name: text }, { load: number, memoryBytes: number, memoryTotalBytes: number, celsius: number, watts: number }),
  },
  stage,
  ...events,
  {
    $id: "Graph",
    description: "The latest report of a graph and a trail of those before it.",
    ...all({
      latest: { $ref: "Event_stages#" },
      moments: list(
        all({
          ...{ t: time, bytesInUse: number, names: list(text), passed: list(number), held: list(number) },
          ...{ busyMs: list(number), blockedMs: list(number), starvedMs: list(number), workMs: list(number) },
        }),
      ),
    }),
  },
  {
    $id: "RunRecord",
    description: "All that is known about a run, folded from its events.",
    ...all(
      {
        ...{ events: count, lastTime: time, starts: count },
        graphs: {
          type: "object",
          properties: { training: { $ref: "Graph#" }, validation: { $ref: "Graph#" }, prediction: { $ref: "Graph#" } },
          additionalProperties: false,
        },
        previews: recent("Event_preview"),
        cases: list({ $ref: "Event_cases#" }),
        predictions: recent("Event_prediction"),
        finished: recent("Event_epoch"),
        skips: recent("Event_skip"),
        warnings: recent("Event_warning"),
        controls: recent("Event_control"),
        samples: recent("Event_samples"),
        use: { $ref: "Curves#" },
        steps: { $ref: "Curves#" },
        epochs: { $ref: "Curves#" },
      },
      {
        ...{ start: { $ref: "Event_start#" }, end: { $ref: "Event_end#" }, step: { $ref: "Event_step#" }, epoch: { $ref: "Event_epoch#" } },
        ...{ latest: { $ref: "Event_checkpoint#" }, best: { $ref: "Event_checkpoint#" } },
        ...{ evaluation: { $ref: "Event_evaluation#" }, system: { $ref: "Event_system#" } },
      },
    ),
  },
] as const;

/** The answer to a request that cannot be served. */
const errorAnswer = (description: string) => ({ description, content: { "application/json": { schema: { $ref: "Error#" } } } });

/** What every route below `/api` may answer besides its own. */
export const ERROR_ANSWERS = {
  400: errorAnswer("A parameter breaks its rule."),
  401: errorAnswer("The token is missing or wrong."),
  403: errorAnswer("The request comes from another site, or needs a token that this dashboard was not given."),
  404: errorAnswer("There is no such run, case or file."),
  429: errorAnswer("Too many requests."),
} as const;

/** The description of a JSON answer. */
export const jsonAnswer = (description: string, properties: Readonly<Record<string, object>>) => ({
  200: { description, content: { "application/json": { schema: all(properties) } } },
  ...ERROR_ANSWERS,
});

/** The description of an answer that is no JSON. */
export const fileAnswer = (description: string, ...types: readonly string[]) => ({
  200: { description, content: Object.fromEntries(types.map((type) => [type, { schema: { type: "string", format: "binary" } }])) },
  304: { description: "The client has this version.", type: "null" },
  ...ERROR_ANSWERS,
});
