import type { Observable } from "rxjs";
import type { Json } from "../../core/json.js";
import { release, retain } from "../../core/retain.js";
import { type Sample, sampleName } from "../../core/sample.js";
import type { Item } from "../../streams/item.js";
import type { Position } from "../../streams/position.js";
import { stage } from "../../streams/stage.js";
import { withRunContext } from "../with-run-context.js";

/** Hands on each sample several times, numbered by `cycle`, over the same voxels; outside training once. */
export function repeatCycles(source: Observable<Sample>, cycles: number): Observable<Sample> {
  const operator = withRunContext<Sample, Sample>("cycles", ({ mode }) =>
    stage<Sample, Sample>("cycles", (node) => {
      const count = mode === "training" ? cycles : 1;
      let parent: Item<Sample> | undefined;
      let next = 0;
      /** Copies of the first sample that were delivered before the position that we resume from. */
      let done = node.resume(0, (state: Json) => Number.isInteger(state) && (state as number) >= 0);
      let before: Position = node.graph.from;
      return {
        room: () => !parent,
        push: (item) => {
          parent = item;
          next = done;
          done = 0;
        },
        ready: () => {
          if (parent && next >= count) {
            before = parent.at;
            release(parent.value);
            parent = undefined;
          }
          return parent !== undefined;
        },
        pull: () => {
          const { value: sample, epoch } = parent!;
          const cycle = next++;
          const value = mode === "training" ? { ...sample, cycle } : sample;
          retain(value);
          return { value, id: sampleName(value), epoch, at: { ...before, [node.name]: cycle + 1 } };
        },
        size: () => (parent ? 1 : 0),
        dispose: () => {
          if (parent) release(parent.value);
          parent = undefined;
        },
      };
    }),
  );
  return operator(source);
}
