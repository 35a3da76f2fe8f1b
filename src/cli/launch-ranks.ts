import { spawn } from "node:child_process";
import { VoxError } from "../core/errors.js";
import { endOfSession } from "./end-of-session.js";

/**
 * Runs this same command again as several ranks on this machine, under `mpirun`, and gives its exit code
 * once all of them have ended.
 *
 * @throws `ERR_ENGINE` without Open MPI
 */
export async function launchRanks(ranks: number, args: readonly string[] = process.argv.slice(1)): Promise<number> {
  const child = spawn("mpirun", ["-n", String(ranks), "--bind-to", "none", "--oversubscribe", process.execPath, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    // A session of its own, out of the terminal's group: on Ctrl-C, Open MPI would end the ranks after a second, in the middle of their checkpoint.
    detached: true,
    // Open MPI refuses to run as root, as in a container, unless told twice.
    env: { ...process.env, ...(process.getuid?.() === 0 && { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" }) },
  });
  // Open MPI hands this signal on to all ranks, which stop in order; a second one from outside ends them at once.
  let isStopping = false;
  const stop = (): void => {
    child.kill(isStopping ? "SIGTERM" : "SIGUSR2");
    isStopping = true;
  };
  const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", (cause) => {
        const sentence = "mpirun must be installed for several ranks (Debian: openmpi-bin)";
        reject(new VoxError(sentence, { code: "ERR_ENGINE", where: "train --ranks", cause }));
      });
      child.once("exit", (status) => resolve(status ?? 1));
    });
    // Open MPI does not wait for ranks that it killed; until they are gone they hold the run's folder, memory and processors.
    await endOfSession(child.pid!);
    return code;
  } finally {
    for (const signal of signals) process.removeListener(signal, stop);
  }
}
