import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { errorMessage, VoxError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { rankMessage } from "./rank-message.js";
import type { Ranks } from "./ranks.js";
import { isSharedError } from "./together.js";

/** Open MPI's; other implementations have other handles. */
const LIBRARY = "libmpi.so.40";
const THREAD_FUNNELED = 1;
const IN_PLACE = 1n;
/** Values summed in one call: 4 MB, which stays in the caches on the way. */
const BUCKET = 1 << 20;
/** Turns of the event loop in which a rank looks for the others, before it sleeps between two looks. */
const EAGER_TURNS = 50;

type NativeFunction = (...args: unknown[]) => number;

/**
 * The ranks of Open MPI's world, through its C library: `MPI_Iallgather` for messages and `MPI_Allreduce` for gradients. A rank that waits for others sleeps
 * instead of spinning as Open MPI does, because the processor is its loaders'; signals and timers get their turn.
 *
 * @throws `ERR_ENGINE` without Open MPI
 * @source MPI: A Message-Passing Interface Standard, version 3.1, sections 5.9, 5.12 and 12.4
 */
export async function mpiRanks(): Promise<Ranks> {
  const { default: koffi } = await import("koffi");
  const mpi = load(() => koffi.load(LIBRARY, { global: true }));
  const handle = (name: string): unknown => koffi.address(mpi.symbol(name, "uint8_t"));
  // The handles of Open MPI are the addresses of these structs.
  const world = handle("ompi_mpi_comm_world");
  const float = handle("ompi_mpi_float");
  const byte = handle("ompi_mpi_byte");
  const plus = handle("ompi_mpi_op_sum");
  const declare = (declaration: string): NativeFunction => mpi.func(declaration) as unknown as NativeFunction;
  const initialize = declare("int MPI_Init_thread(void*, void*, int, _Out_ int*)");
  const finalize = declare("int MPI_Finalize()");
  const rankOf = declare("int MPI_Comm_rank(uintptr_t, _Out_ int*)");
  const sizeOf = declare("int MPI_Comm_size(uintptr_t, _Out_ int*)");
  const allReduce = declare("int MPI_Allreduce(uintptr_t, void*, int, uintptr_t, uintptr_t, uintptr_t)");
  const allGather = declare("int MPI_Allgather(void*, int, uintptr_t, void*, int, uintptr_t, uintptr_t)");
  const beginAllGather = declare("int MPI_Iallgather(void*, int, uintptr_t, void*, int, uintptr_t, uintptr_t, _Out_ uintptr_t*)");
  const test = declare("int MPI_Test(_Inout_ uintptr_t*, _Out_ int*, void*)");
  const abort = declare("int MPI_Abort(uintptr_t, int)");

  check("MPI_Init_thread", initialize(null, null, THREAD_FUNNELED, [0]));
  const [rank, size] = [[0], [0]];
  check("MPI_Comm_rank", rankOf(world, rank));
  check("MPI_Comm_size", sizeOf(world, size));
  const count = size[0]!;
  let isTraining = false;
  // Finalizing waits for the other ranks, so that none is ended while it still writes; but not when they wait in a training for this one.
  process.once("exit", () => {
    if (isTraining) abort(world, 1);
    else finalize();
  });

  const arrived = async (request: unknown[]): Promise<void> => {
    for (let turn = 0; ; turn++) {
      const isDone = [0];
      check("MPI_Test", test(request, isDone, null));
      if (isDone[0] !== 0) return;
      await (turn < EAGER_TURNS ? nextTurn() : sleep(1));
    }
  };

  return {
    rank: rank[0]!,
    size: count,
    async gather<T extends Json>(value: T): Promise<readonly T[]> {
      const own = Buffer.from(rankMessage.encode(value));
      // Both stay where they are until all ranks have come: small typed arrays of V8 may move, those of a buffer of their own never.
      const length = new Uint32Array(new ArrayBuffer(4)).fill(own.length);
      const lengths = new Uint32Array(new ArrayBuffer(4 * count));
      const request = [0];
      check("MPI_Iallgather", beginAllGather(length, 4, byte, lengths, 4, byte, world, request));
      await arrived(request);
      // Until here it must not be collected.
      if (length[0] !== own.length) throw new VoxError("a message changed while it was sent", { code: "ERR_WORKER", where: "ranks" });
      const longest = Math.max(...lengths);
      const padded = new Uint8Array(longest);
      padded.set(own);
      const all = new Uint8Array(longest * count);
      check("MPI_Allgather", allGather(padded, longest, byte, all, longest, byte, world));
      return Array.from(lengths, (bytes, k) => rankMessage.decode<T>(Buffer.from(all.buffer, k * longest, bytes).toString("utf8")));
    },
    async sum(values) {
      for (let from = 0; from < values.length; from += BUCKET) {
        const part = values.subarray(from, from + BUCKET);
        check("MPI_Allreduce", allReduce(IN_PLACE, part, part.length, float, plus, world));
      }
    },
    enter() {
      isTraining = true;
    },
    leave(error) {
      if (error !== undefined && !isSharedError(error)) {
        process.stderr.write(`rank ${rank[0]} failed, which ends all ranks: ${errorMessage(error)}\n`);
        abort(world, 1);
      }
      isTraining = false;
    },
  };
}

function load<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw missing(`${LIBRARY} must be installed (Debian: openmpi-bin), but: ${errorMessage(error)}`, error);
  }
}

function check(name: string, code: number): void {
  if (code !== 0) throw new VoxError(`${name} must return 0, got ${code}`, { code: "ERR_WORKER", where: "ranks" });
}

function missing(sentence: string, cause?: unknown): VoxError {
  return new VoxError(`several ranks need Open MPI 4: ${sentence}`, { code: "ERR_ENGINE", where: "ranks", cause });
}
