import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { endOfSession } from "../../src/cli/end-of-session.js";

const isRunning = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

/** A session whose first process has ended and left another one behind. */
async function orphaned(command: string): Promise<{ session: number; orphan: number }> {
  const leader = spawn("sh", ["-c", `${command} >/dev/null & echo $!`], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  leader.stdout.on("data", (text: Buffer) => {
    said += text.toString();
  });
  await once(leader, "close");
  return { session: leader.pid!, orphan: Number(said) };
}

// Sessions are read from /proc.
describe.skipIf(process.platform !== "linux")("endOfSession", () => {
  it("waits for a process that the leader of its session left behind", async () => {
    const { session, orphan } = await orphaned("sleep 600");
    let isOver = false;
    const end = endOfSession(session).then(() => {
      isOver = true;
    });
    expect(isRunning(orphan)).toBe(true);
    expect(isOver).toBe(false);
    process.kill(orphan, "SIGTERM");
    await end;
    expect(isRunning(orphan)).toBe(false);
  });

  it("kills what does not end by itself", async () => {
    const { session, orphan } = await orphaned("sleep 600");
    await endOfSession(session, 0);
    await endOfSession(session);
    expect(isRunning(orphan)).toBe(false);
  });

  it("returns at once where nothing is left", async () => {
    const { session, orphan } = await orphaned("true");
    await endOfSession(session);
    expect(isRunning(orphan)).toBe(false);
  });
});
