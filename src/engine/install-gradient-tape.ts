import * as tf from "@tensorflow/tfjs-core";

interface TapeNode {
  readonly id: number;
  readonly kernelName: string;
  readonly inputs: Record<string, tf.Tensor>;
  readonly outputs: tf.Tensor[];
  readonly gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
  readonly saved?: tf.Tensor[];
}

/** The parts of TensorFlow.js' engine (4.22, pinned) that its own `gradients` uses. */
interface TapeEngine {
  readonly state: { activeTape: TapeNode[] | null; gradientDepth: number };
  scopedRun<T>(start: () => void, end: () => void, f: () => T): T;
  startTape(): void;
  endTape(): void;
  tidy<T extends tf.TensorContainer>(name: string, f: () => T): T;
  gradients(f: () => tf.Tensor, xs: tf.Tensor[], dy?: tf.Tensor | null, allowNoGradients?: boolean): { value: tf.Tensor; grads: tf.Tensor[] };
}

let isInstalled = false;

/**
 * Replaces the engine's walk back over the tape by one that frees memory on its way: the stock walk keeps every saved activation and every intermediate
 * gradient until its end, about twice the memory that a training step needs. Values and order of additions are the same.
 */
export function installGradientTape(): void {
  if (isInstalled) return;
  isInstalled = true;
  const engine = tf.engine() as unknown as TapeEngine;
  const stock = engine.gradients.bind(engine);
  engine.gradients = (f, xs, dy, allowNoGradients = false) => {
    // Gradients of gradients need the tape whole.
    if (engine.state.gradientDepth > 0) return stock(f, xs, dy, allowNoGradients);
    tf.util.assert(xs.length > 0, () => "gradients() received an empty list of xs.");
    tf.util.assert(!dy || dy.dtype === "float32", () => `dy must have 'float32' dtype, but has '${dy!.dtype}'`);
    const value = engine.scopedRun(
      () => engine.startTape(),
      () => engine.endTape(),
      () => engine.tidy("forward", f),
    );
    tf.util.assert(value instanceof tf.Tensor, () => "The result y returned by f() must be a tensor.");
    const tape = engine.state.activeTape ?? [];
    try {
      const nodes = nodesBetween(tape, xs, value);
      tf.util.assert(
        allowNoGradients || nodes.size > 0,
        () => "Cannot compute gradient of y=f(x) with respect to x. Make sure that the f you passed encloses all operations that lead from x to y.",
      );
      const grads = engine.tidy("backward", () => walkBack(tape, nodes, xs, value, dy));
      return { value, grads };
    } finally {
      for (const node of tape) tf.dispose(node.saved ?? []);
      engine.state.activeTape = null;
    }
  };
}

/** For each node on a way from xs to y, the names of its inputs that are on such a way. */
function nodesBetween(tape: readonly TapeNode[], xs: readonly tf.Tensor[], y: tf.Tensor): Map<TapeNode, string[]> {
  const fromX = new Set(xs.map((x) => x.id));
  const reached = new Map<TapeNode, string[]>();
  for (const node of tape) {
    const names = Object.keys(node.inputs).filter((name) => fromX.has(node.inputs[name]!.id));
    if (names.length === 0) continue;
    reached.set(node, names);
    for (const output of node.outputs) fromX.add(output.id);
  }
  const toY = new Set([y.id]);
  const between = new Map<TapeNode, string[]>();
  for (const node of tape.toReversed?.() ?? [...tape].reverse()) {
    if (!node.outputs.some((output) => toY.has(output.id))) continue;
    for (const input of Object.values(node.inputs)) toY.add(input.id);
    const names = reached.get(node);
    if (names) between.set(node, names);
  }
  return between;
}

function walkBack(
  tape: readonly TapeNode[],
  nodes: ReadonlyMap<TapeNode, readonly string[]>,
  xs: readonly tf.Tensor[],
  y: tf.Tensor,
  dy: tf.Tensor | null | undefined,
): tf.Tensor[] {
  for (const node of tape) if (!nodes.has(node)) tf.dispose(node.saved ?? []);
  const gradientOf = new Map<number, tf.Tensor>([[y.id, dy ?? tf.ones(y.shape)]]);
  const kept = new Set(xs.map((x) => x.id));
  if (dy) kept.add(y.id);
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i]!;
    const names = nodes.get(node);
    if (!names) continue;
    const dys = node.outputs.map((output) => gradientOf.get(output.id) ?? null);
    if (!node.gradient) throw new Error(`Cannot compute gradient: gradient function not found for ${node.kernelName}.`);
    const saved = node.saved ?? [];
    // A gradient may be a saved tensor as it is; it must outlive the node.
    const results = inputGradients(node, names, dys).map((dx) => (saved.includes(dx) ? tf.clone(dx) : dx));
    tf.dispose(saved);
    // An output's gradient has had its only use, unless it was passed on as it is.
    for (const output of node.outputs) {
      const gradient = gradientOf.get(output.id);
      if (!gradient || kept.has(output.id) || results.includes(gradient)) continue;
      gradientOf.delete(output.id);
      // Two inputs of an earlier node may have been given one tensor.
      if (![...gradientOf.values()].includes(gradient)) gradient.dispose();
    }
    names.forEach((name, k) => {
      const x = node.inputs[name]!;
      const dx = results[k]!;
      const sum = gradientOf.get(x.id);
      if (!sum) {
        gradientOf.set(x.id, dx);
        return;
      }
      gradientOf.set(x.id, tf.add(sum, dx));
      // The sum may be a tensor that another node passed on as it is; the scope frees it then.
      if (sum !== dy && ![...gradientOf.values()].includes(sum)) sum.dispose();
      if (dx !== dy && ![...gradientOf.values()].includes(dx)) dx.dispose();
    });
  }
  return xs.map((x) => gradientOf.get(x.id)!);
}

function inputGradients(node: TapeNode, names: readonly string[], dys: (tf.Tensor | null)[]): tf.Tensor[] {
  const results: tf.Tensor[] = [];
  tf.tidy(() => {
    const gradients = node.gradient!(dys);
    for (const name of names) {
      const gradient = gradients[name];
      if (!gradient) throw new Error(`Cannot backprop through input ${name}. Available gradients found: ${Object.keys(gradients)}.`);
      const dx = gradient();
      const x = node.inputs[name]!;
      if (dx.dtype !== "float32") {
        throw new Error(
          `Error in gradient for op ${node.kernelName}. The gradient of input ${name} must have 'float32' dtype, but has '${dx.dtype}'`,
        );
      }
      if (!tf.util.arraysEqual(dx.shape, x.shape)) {
        throw new Error(
          `Error in gradient for op ${node.kernelName}. The gradient of input '${name}' has shape '${dx.shape}', which does not match the shape of the input '${x.shape}'`,
        );
      }
      results.push(dx);
    }
    return results;
  });
  return results;
}
