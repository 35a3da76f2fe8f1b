import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { release, retain } from "../../core/retain.js";
import { isSampleFault } from "../is-sample-fault.js";
import type { Item } from "../item.js";
import type { Position } from "../position.js";
import { Skipped } from "../skipped.js";
import { stage } from "../stage.js";
import { stageError } from "../stage-error.js";
import type { ErrorOptions, StageOptions } from "../stage-options.js";
import { Work, type WorkContext } from "../work-context.js";

export interface FanOutOptions extends StageOptions, ErrorOptions {}

interface Parent<A, B> {
  readonly item: Item<A>;
  readonly children: Iterator<B> | AsyncIterator<B>;
  readonly isAsync: boolean;
  /** Children made so far. */
  count: number;
}

/**
 * 1:N. Children are made one at a time, when the next stage has room; the parent's slot is free again when they are used up. For parallel work per parent,
 * put a `mapAsync` that returns the children in front and fan out its result.
 *
 * @throws `ERR_OPTION`; in the run `ERR_STAGE` with the child's id when making it fails
 * @example
 * samples.pipe(fanOut(function* ({ id }) { for (const letter of id) yield letter; }, { name: "letters" }))
 */
export function fanOut<A, B>(
  make: (value: A, context: WorkContext) => Iterable<B> | AsyncIterable<B>,
  { name = make?.name || "fanOut", onError, ...unknown }: FanOutOptions = {},
): OperatorFunction<A, B> {
  requireOption(typeof make === "function", "fanOut", "make", "a function from a value to an iterable", make);
  requireKnownOptions("fanOut", unknown, ["name", "onError"]);
  return stage<A, B>(name, (node) => {
    const mode = onError ?? node.graph.context?.onError ?? "fail";
    const aborts = new Set<AbortController>();
    let parent: Parent<A, B> | undefined;
    let context: Work | undefined;
    /** Children of the first parent that were delivered before the position that we resume from. */
    let skip = node.resume(0, (state) => Number.isInteger(state) && (state as number) >= 0);
    let before: Position = node.graph.from;
    /** Asynchronous children: one is made ahead. */
    let ahead: { readonly value: B } | undefined;
    let isMaking = false;
    let isUsedUp = false;

    function finish(): void {
      const { item } = parent!;
      before = item.at;
      parent = undefined;
      skip = 0;
      isUsedUp = false;
      context?.end();
      release(item.value);
    }

    /** A parent whose children cannot be made is left out from there on, or fails the run. */
    function refuse(error: unknown): void {
      const { item, count } = parent!;
      if (!(error instanceof Skipped || (mode === "skip" && isSampleFault(error)))) throw stageError(error, node.name, `${item.id}.${count}`);
      node.recordSkip(item, error);
      finish();
    }

    function makeAhead(children: AsyncIterator<B>, { item }: Parent<A, B>): void {
      isMaking = true;
      void node.work(
        item,
        () => children.next(),
        (result) => {
          isMaking = false;
          if (result.done) isUsedUp = true;
          else {
            retain(result.value);
            if (node.closed) release(result.value);
            else ahead = { value: result.value };
          }
        },
        (error) => {
          isMaking = false;
          if (!node.closed) refuse(error);
        },
      );
    }

    /** `value` is retained. */
    function child(value: B): Item<B> | undefined {
      const { item } = parent!;
      const index = parent!.count++;
      if (index < skip) {
        release(value);
        return undefined;
      }
      return { value, id: `${item.id}.${index}`, epoch: item.epoch, at: { ...before, [node.name]: index + 1 } };
    }

    return {
      room: () => !parent,
      push: (item) => {
        context = new Work(item.id, item.epoch, node.graph, aborts);
        try {
          const made = node.timed(() => make(item.value, context!));
          const isAsync = Symbol.asyncIterator in made;
          parent = { item, children: isAsync ? made[Symbol.asyncIterator]() : (made as Iterable<B>)[Symbol.iterator](), isAsync, count: 0 };
        } catch (error) {
          if (!(error instanceof Skipped || (mode === "skip" && isSampleFault(error)))) throw error;
          before = item.at;
          skip = 0;
          node.skip(item, error);
        }
      },
      ready: () => {
        if (!parent) return false;
        if (!parent.isAsync) return true;
        if (ahead) return true;
        if (isUsedUp) finish();
        else if (!isMaking) makeAhead(parent.children as AsyncIterator<B>, parent);
        return false;
      },
      pull: () => {
        if (!parent) return undefined;
        if (parent.isAsync) {
          const { value } = ahead!;
          ahead = undefined;
          return child(value);
        }
        const { children } = parent;
        let result: IteratorResult<B>;
        try {
          result = node.timed(() => (children as Iterator<B>).next());
        } catch (error) {
          refuse(error);
          return undefined;
        }
        if (result.done) {
          finish();
          return undefined;
        }
        retain(result.value);
        return child(result.value);
      },
      size: () => (parent ? 1 : 0),
      dispose: () => {
        for (const controller of aborts) controller.abort();
        if (ahead) release(ahead.value);
        if (!parent) return;
        const { children, item } = parent;
        parent = undefined;
        // An asynchronous generator ends only after the child it is making, and may read the parent until then.
        const { graph } = node;
        graph.begin();
        void (async () => {
          try {
            await children.return?.();
          } catch (error) {
            graph.warn(node.name, error);
          } finally {
            release(item.value);
            graph.end();
          }
        })();
      },
    };
  });
}
