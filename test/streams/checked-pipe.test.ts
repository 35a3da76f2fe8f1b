import { EMPTY, filter, map, type Observable, take } from "rxjs";
import { describe, expect, it } from "vitest";
import { VoxError } from "../../src/core/errors.js";
import { batch, type CaseItem, cached, cases, clip, load, normalize, patch, prefetch, shuffle, skipBlank } from "../../src/operators/index.js";
import { broadcast, fanOut, iterate, mapAsync, mix, run, skipWhen, source, to, via, zipStages } from "../../src/streams/index.js";
import { buildGraph } from "../../src/training/hosting/build-graph.js";

const numbers = () => source("numbers", 3, (index) => index);
const data = { classes: ["background", "organ"], channels: 1, list: async () => [] };
const flow = () => cases(data, { refs: [{ id: "a", images: ["a.nii"] }] }) as Observable<never>;
/** What somebody writes who has no compiler. */
const piped = (start: Observable<never>, ...operators: readonly unknown[]) =>
  (start.pipe as (...list: readonly unknown[]) => Observable<unknown>)(...operators);

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(VoxError);
    return `${(error as VoxError).code} ${(error as VoxError).message}`;
  }
  return "accepted";
}

describe("what does not belong into a pipe is refused with its place, when the graph is built", () => {
  it.each<[string, () => unknown, string]>([
    ["nothing", () => piped(flow(), load(), undefined), "operator 2 (behind load) must be an operator, such as normalize(), got undefined"],
    ["a name", () => piped(flow(), "load"), 'operator 1 must be an operator, such as normalize(), got "load"'],
    ["a list", () => piped(flow(), [load(), normalize()]), "operator 1 must be an operator, such as normalize(), got [null,null]"],
    ["a forgotten call", () => piped(flow(), load), "operator 1 must be called, got the function load: write load() or load({ … })"],
    [
      "a forgotten call further on",
      () => piped(flow(), load(), clip({ min: 0, max: 1 }), normalize),
      "operator 3 (behind clip) must be called, got the function normalize: write normalize() or normalize({ … })",
    ],
    ["a forgotten call of RxJS", () => piped(flow(), take), "operator 1 must be called, got the function take: write take() or take({ … })"],
    [
      "a function of values",
      () => piped(flow(), load(), () => 5),
      "operator 2 (behind load) must make a flow of a flow, got function (anonymous), which returns 5",
    ],
    [
      "a function that fails",
      () =>
        piped(flow(), function mine(cases: { some: { thing: 1 } }) {
          return cases.some.thing;
        }),
      "operator 1 must make a flow of a flow, got function mine, which failed: Cannot read properties of undefined (reading 'thing')",
    ],
  ])("%s", (_, action, message) => {
    expect(refusal(action)).toBe(`ERR_OPTION pipe: ${message}`);
  });

  it("also where several pipes follow each other, behind operators of RxJS, and in graphs of plain values", () => {
    const first = piped(flow(), load(), normalize()) as Observable<never>;
    expect(refusal(() => piped(piped(first, filter(Boolean)) as Observable<never>, undefined))).toContain("operator 4 must be an operator");
    expect(
      refusal(() =>
        piped(
          numbers() as Observable<never>,
          mapAsync((n: number) => n),
          undefined,
        ),
      ),
    ).toContain("operator 2 must be an operator");
    expect(refusal(() => piped(mix([{ from: numbers(), weight: 1 }]) as Observable<never>, "batch"))).toContain('got "batch"');
  });
});

describe("an operator on another kind of flow is refused, with what helps", () => {
  it.each<[string, () => unknown, string]>([
    [
      "samples without load",
      () => piped(flow(), normalize()),
      "operator 1 must take cases: put load() in front of it, got normalize, which takes samples",
    ],
    [
      "batches of cases",
      () => piped(flow(), shuffle({ window: 4 }), batch({ size: 2 })),
      "operator 2 (behind shuffle) must take cases: put load() in front of it, got batch, which takes samples",
    ],
    [
      "load twice",
      () => piped(flow(), load(), load()),
      "operator 2 (behind load) must take samples: load() stands once, first, got load, which takes cases",
    ],
    [
      "cached behind load",
      () => piped(flow(), load(), cached(load(), normalize())),
      "operator 2 (behind load) must take samples: load() stands inside cached(...), got cached, which takes cases",
    ],
    [
      "voxels of batches",
      () => piped(flow(), load(), patch({ size: [4, 4, 4] }), skipBlank(), batch({ size: 2 }), prefetch({ capacity: 2 }), normalize()),
      "operator 6 (behind prefetch) must take batches: put it in front of batch(), got normalize, which takes samples",
    ],
    [
      "prepared batches",
      () => piped(flow(), cached(load(), batch({ size: 1 })), clip({ min: 0, max: 1 })),
      "operator 2 must take batches: put it in front of batch(), got clip, which takes samples",
    ],
  ])("%s", (_, action, message) => {
    expect(refusal(action).replace("operator 2 (behind cached)", "operator 2")).toBe(`ERR_OPTION pipe: ${message}`);
  });

  it("but behind a function of one's own anything may follow", () => {
    expect(
      refusal(() =>
        piped(
          flow(),
          map((item) => item),
          normalize(),
          batch({ size: 1 }),
        ),
      ),
    ).toBe("accepted");
    const own = (before: Observable<CaseItem>) => before.pipe(load(), normalize());
    expect(refusal(() => piped(flow(), own, batch({ size: 1 })))).toBe("accepted");
  });

  it("and errors of operators inside come as they are", () => {
    const own = (before: Observable<CaseItem>) => before.pipe(load(), clip({ min: 3, max: 1 }));
    expect(refusal(() => piped(flow(), own))).toMatch(/^ERR_OPTION clip: /);
  });
});

describe("the graph function of a configuration", () => {
  const build = (graph: (input: { readonly cases: Observable<never> }) => unknown) =>
    refusal(() => buildGraph(graph as never, { cases: EMPTY, mode: "training", classes: ["a", "b"] }));

  it("gets the same, without touching the flow it was given", () => {
    expect(build(({ cases: all }) => piped(all, load(), undefined))).toBe(
      "ERR_OPTION pipe: operator 2 (behind load) must be an operator, such as normalize(), got undefined",
    );
    expect(Object.hasOwn(EMPTY, "pipe")).toBe(false);
  });

  it("names what was probably meant by a name that is not there", () => {
    const library = { normalize } as unknown as Record<string, () => never>;
    expect(build(({ cases: all }) => piped(all, load(), library.normalise!()))).toBe(
      "ERR_CONFIG graph: the graph function must return batches, but it failed: library.normalise is not a function; did you mean normalize?",
    );
    expect(build(() => undefined)).toMatch(/must return an Observable of batches/);
  });
});

describe("arguments of stages that are of another kind are refused when the graph is built", () => {
  const none = undefined as never;
  it.each<[string, () => unknown, string]>([
    ["mapAsync", () => mapAsync(none), "mapAsync: work must be a function of a value, got undefined"],
    ["fanOut", () => fanOut(none), "fanOut: make must be a function from a value to an iterable, got undefined"],
    ["skipWhen", () => skipWhen("blank" as never), 'skipWhen: reason must be a function from a value to a reason or undefined, got "blank"'],
    ["to", () => to(none), "sink: consume must be a function of a value, got undefined"],
    ["via", () => via(none), "via: operator must be an RxJS operator, such as delay(10), got undefined"],
    ["source", () => source("cases", 3, [1, 2, 3] as never), "cases: get must be a function from an index to a value, got [1,2,3]"],
    ["mix", () => mix(none), "mix: parts must be a list of { from, weight }, got undefined"],
    ["a part of mix", () => mix([{ from: none, weight: 1 }]), "mix: flow 1 must be an Observable, such as source(…) or cases.pipe(…), got undefined"],
    ["zipStages", () => zipStages(none), "zip: flows must be a list of flows, got undefined"],
    [
      "a flow of zipStages",
      () => zipStages([numbers(), none]),
      "zip: flow 2 must be an Observable, such as source(…) or cases.pipe(…), got undefined",
    ],
    [
      "broadcast",
      () => broadcast(none, { branches: 2 }),
      "broadcast: flow 1 must be an Observable, such as source(…) or cases.pipe(…), got undefined",
    ],
    [
      "run",
      () => run("demo", numbers().pipe(to(() => {})) as never),
      "run: flows must be a list of flows, such as [batches.pipe(to(consume))], got ",
    ],
    ["a flow of run", () => run("demo", [none]), "run: flow 1 must be an Observable that ends in to(…), got undefined"],
  ])("%s", (_, action, message) => {
    const told = refusal(action);
    expect(told.slice(0, `ERR_OPTION ${message}`.length)).toBe(`ERR_OPTION ${message}`);
  });

  it("iterate, at its first step", async () => {
    await expect(iterate(none).next()).rejects.toMatchObject({
      code: "ERR_OPTION",
      message: "iterate: flow must be an Observable, such as cases.pipe(…), got undefined",
    });
  });
});
