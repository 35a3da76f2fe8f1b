import { errorMessage } from "../../core/errors.js";
import type { StageReport } from "../../core/run-events.js";
import type { RunEventInput, RunFolder } from "../run/run-folder.js";
import type { StageNote } from "./graph-messages.js";
import type { GraphHostListener } from "./local-graph-host.js";
import type { QuarantinedCase } from "./quarantine.js";
import { stageVerdict } from "./stage-verdict.js";

/** Writes stage reports to the run's events: every half second at first, every five seconds after ten minutes, so that long runs stay small. */
export function stageLog(folder: RunFolder, onQuarantine: (failed: QuarantinedCase) => void): GraphHostListener {
  const began = Date.now();
  const before = new Map<string, readonly StageReport[]>();
  const written = new Map<string, number>();
  // A disk that is full fails the next step's event too, and there it ends the training in order.
  const write = (event: RunEventInput): void => {
    try {
      folder.event(event);
    } catch (error) {
      process.emitWarning(errorMessage(error), "VoxstreamWarning");
    }
  };
  return {
    memory: (note) => write({ type: "memory", ...note }),
    skip: ({ id, stage, message, stack, isQuarantined }) => {
      if (isQuarantined) onQuarantine({ id, message });
      write({ type: "skip", id, stage, message, ...(stack !== undefined && { stack }) });
    },
    stages: ({ graph, stages, bytesInUse, budget }: StageNote) => {
      const now = Date.now();
      if (now - began > 600_000 && now - (written.get(graph) ?? 0) < 5_000) return;
      written.set(graph, now);
      write({ type: "stages", graph, stages, bytesInUse, budget, verdict: stageVerdict(before.get(graph) ?? [], stages) });
      before.set(graph, stages);
    },
  };
}
