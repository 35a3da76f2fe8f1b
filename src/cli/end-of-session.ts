import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until no process of a session is left, and kills what outlives `patienceMs`: a launcher may be over a moment before the processes that it ended are.
 * Gives up after the same time again: a process in a call to a dead disk cannot be killed. Does nothing where the system does not tell sessions (no `/proc`).
 */
export async function endOfSession(session: number, patienceMs = 10_000): Promise<void> {
  if (await hasEnded(session, patienceMs)) return;
  for (const pid of membersOf(session)) killIfThere(pid);
  await hasEnded(session, patienceMs);
}

async function hasEnded(session: number, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (membersOf(session).length > 0) {
    if (performance.now() >= deadline) return false;
    await sleep(20);
  }
  return true;
}

/** The running processes of a session; one that is over and not yet collected by its parent does not run. */
function membersOf(session: number): number[] {
  return processes().filter((pid) => {
    const [state, , , of] = statOf(pid);
    return Number(of) === session && state !== "Z" && state !== "X";
  });
}

function processes(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** What follows the name in `/proc/<pid>/stat`: state, parent, group, session, …; nothing of a process that is gone. */
function statOf(pid: number): string[] {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name stands in parentheses and may hold some itself.
    return line.slice(line.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in between.
  }
}
