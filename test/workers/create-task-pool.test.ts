import { afterEach, describe, expect, test } from "vitest";
import { VoxError } from "../../src/core/errors.js";
import { createTaskPool, type TaskPool, type TaskPoolOptions } from "../../src/workers/index.js";

const url = new URL("./fixtures/tasks.mjs", import.meta.url).href;
const pools: TaskPool[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.destroy()));
});

function open(options: TaskPoolOptions = {}): TaskPool {
  const pool = createTaskPool({ threads: 2, ...options });
  pools.push(pool);
  return pool;
}
function call(pool: TaskPool, name: string, payload: unknown = {}, signal?: AbortSignal): Promise<unknown> {
  return pool.run("module", { url, export: name, payload }, signal ? { signal } : {});
}
const shared = (length: number) => new Int32Array(new SharedArrayBuffer(length * 4));
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("must fail");
    },
    (error: VoxError) => error,
  );

describe.each([0, 2])("with threads: %i", (threads) => {
  test("a task writes into shared memory and returns a value", async () => {
    const data = shared(4).fill(3);
    expect(await call(open({ threads }), "double", { data })).toBe(4);
    expect([...data]).toEqual([6, 6, 6, 6]);
  });

  test("an unknown task is a clear error", async () => {
    const error = await failure(open({ threads }).run("blur", {}));
    expect(error).toBeInstanceOf(VoxError);
    expect(error.code).toBe("ERR_WORKER");
    expect(error.message).toMatch(/the task must be one of .*module.*, got blur/);
  });

  test("names of Object.prototype are no tasks", async () => {
    expect((await failure(open({ threads }).run("toString", {}))).code).toBe("ERR_WORKER");
  });

  test("an error crosses with its message, stack and system code", async () => {
    const pool = open({ threads });
    const error = await failure(call(pool, "fail", { message: "spacing is 0" }));
    expect(error.message).toBe("spacing is 0");
    expect(error.stack).toMatch(/tasks\.mjs/);
    expect(await failure(call(pool, "systemError"))).toMatchObject({ code: "ENOENT" });
  });

  test("a module or an export that is missing is a clear error", async () => {
    const pool = open({ threads });
    expect((await failure(pool.run("module", { url: `${url}x`, export: "a", payload: 0 }))).message).toMatch(/must be loadable/);
    expect((await failure(call(pool, "nothing"))).message).toMatch(/export 'nothing' .* must be a function, got undefined/);
  });

  test("an aborted signal starts nothing", async () => {
    const marks = shared(2);
    const error = await failure(call(open({ threads }), "writeUntilStopped", { data: shared(1), marks }, AbortSignal.abort(new Error("user"))));
    expect(error).toMatchObject({ code: "ERR_STOPPED", where: "module" });
    expect((error.cause as Error).message).toBe("user");
    await sleep(20);
    expect(marks[0]).toBe(0);
  });

  test("a destroyed pool refuses work and destroying twice is harmless", async () => {
    const pool = open({ threads });
    await pool.destroy();
    expect((await failure(call(pool, "double", { data: shared(1) }))).code).toBe("ERR_STOPPED");
    await pool.destroy();
  });
});

test("wrong options are refused", () => {
  expect(() => createTaskPool({ threads: -1 })).toThrow("createTaskPool: threads must be an integer from 0 to 1024, got -1");
  expect(() => createTaskPool({ threads: 1.5 })).toThrow(/threads/);
  expect(() => createTaskPool({ threads: 1, retries: -1 })).toThrow(/retries/);
  expect(() => createTaskPool({ threads: 1, stallTimeout: 0 })).toThrow(/stallTimeout/);
  expect(() => createTaskPool({ threads: 1, heapMegabytes: 0 })).toThrow(/heapMegabytes/);
});

test("tasks run at once on several threads, more of them wait", async () => {
  const pool = open({ threads: 2 });
  expect(pool.concurrency).toBe(2);
  await call(pool, "wait", { ms: 0 });
  const results = await Promise.all([1, 2, 3, 4].map((value) => call(pool, "wait", { ms: 20, value })));
  expect(results).toEqual([1, 2, 3, 4]);
});

test("an aborted task settles only after its thread has let go of the memory", async () => {
  const pool = open({ threads: 1 });
  const data = shared(1 << 16);
  const marks = shared(2);
  const controller = new AbortController();
  const job = failure(call(pool, "writeUntilStopped", { data, marks }, controller.signal));
  while (marks[0] === 0) await sleep(1);
  controller.abort(new Error("user"));
  const error = await job;
  expect(marks[1]).toBe(1);
  expect(error.code).toBe("ERR_STOPPED");
  data.fill(0);
  await sleep(30);
  expect(data.every((value) => value === 0)).toBe(true);
});

test("a task that waits for a thread when it is aborted never begins", async () => {
  const pool = open({ threads: 1 });
  const first = call(pool, "wait", { ms: 50, value: 1 });
  const marks = shared(2);
  const controller = new AbortController();
  const second = failure(call(pool, "writeUntilStopped", { data: shared(1), marks }, controller.signal));
  controller.abort();
  expect((await second).code).toBe("ERR_STOPPED");
  expect(await first).toBe(1);
  expect(marks[0]).toBe(0);
});

describe("a thread that dies under its task", () => {
  test.each(["exit", "throw", "memory"])("by %s: the task is run again on another thread", async (how) => {
    const pool = open({ threads: 1, ...(how === "memory" ? { heapMegabytes: 32 } : {}) });
    const before = await call(pool, "die", { marks: shared(1), how });
    expect(await call(pool, "die", { marks: shared(1).fill(1), how })).not.toBe(before);
  });

  test("twice is ERR_WORKER with the task's name, and the pool stays usable", async () => {
    const pool = open({ threads: 1 });
    const error = await failure(call(pool, "die", { marks: shared(1).fill(2), how: "exit" }));
    expect(error).toMatchObject({ code: "ERR_WORKER", where: "module" });
    expect(error.message).toBe("module: the task must not end its thread, but worker exited with code: 3");
    expect(await call(pool, "wait", { ms: 0, value: 5 })).toBe(5);
  });

  test("is not retried when retries is 0", async () => {
    const marks = shared(1).fill(1);
    expect((await failure(call(open({ threads: 1, retries: 0 }), "die", { marks, how: "throw" }))).message).toMatch(/thrown outside the task/);
    expect(marks[0]).toBe(0);
  });

  test("does not disturb tasks of other threads", async () => {
    const pool = open({ threads: 2 });
    const other = call(pool, "wait", { ms: 150, value: "other" });
    await failure(call(pool, "die", { marks: shared(1).fill(2), how: "exit" }));
    expect(await other).toBe("other");
  });
});

test("a task without sign of life is ended and run again; a lively one is left alone", async () => {
  const pool = open({ threads: 1, stallTimeout: 250 });
  expect(await call(pool, "lively")).toBe("alive");
  expect(await call(pool, "hang", { marks: shared(1).fill(1) })).toBe("alive");
  const error = await failure(call(pool, "hang", { marks: shared(1).fill(2) }));
  expect(error.message).toBe("module: the task must not end its thread, but it showed no sign of life for 250 ms");
  // A task that goes through more memory may be silent for longer: here half a second more.
  const payload = { url, export: "hang", payload: { marks: shared(1).fill(2) } };
  const slow = await failure(pool.run("module", payload, { bytes: 1_000_000 }));
  expect(slow.message).toBe("module: the task must not end its thread, but it showed no sign of life for 750 ms");
});

test("a task that was told to stop and does not look at its flag is ended after two seconds", async () => {
  const own = createTaskPool({ threads: 1, stallTimeout: 60_000 });
  const marks = new Int32Array(new SharedArrayBuffer(4)).fill(5);
  const controller = new AbortController();
  const hanging = own.run("module", { url, export: "hang", payload: { marks } }, { signal: controller.signal });
  while (Atomics.load(marks, 0) === 5) await new Promise((resolve) => setTimeout(resolve, 5));
  const asked = performance.now();
  controller.abort();
  await expect(hanging).rejects.toMatchObject({ code: "ERR_STOPPED" });
  // Long before it would be taken for dead.
  expect(performance.now() - asked).toBeLessThan(30_000);
  // Not run again, and the next task finds a thread.
  expect(Atomics.load(marks, 0)).toBe(4);
  expect(await own.run("module", { url, export: "wait", payload: { ms: 1, value: 7 } })).toBe(7);
  await own.destroy();
});

test("what cannot be cloned is a clear error in both directions", async () => {
  const pool = open({ threads: 1 });
  expect((await failure(call(pool, "wait", { value: () => 1 }))).message).toMatch(/^module: the payload of a task must be plain data, got: /);
  expect((await failure(call(pool, "uncloneable"))).message).toBe("module: the result of a task must be plain data");
  expect(await call(pool, "wait", { ms: 0, value: 5 })).toBe(5);
});

test("destroy stops running and waiting tasks and leaves nothing behind", async () => {
  const pool = open({ threads: 1 });
  const marks = shared(2);
  const running = failure(call(pool, "writeUntilStopped", { data: shared(1), marks }));
  const waiting = failure(call(pool, "wait", { ms: 10 }));
  while (marks[0] === 0) await sleep(1);
  await pool.destroy();
  expect(marks[1]).toBe(1);
  expect((await running).code).toBe("ERR_STOPPED");
  expect((await waiting).code).toBe("ERR_STOPPED");
  expect(process.getActiveResourcesInfo().filter((name) => name === "MessagePort" || name === "Worker")).toEqual([]);
});

test("abort listeners do not pile up on a shared signal", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: any[]) => {
    listeners++;
    addEventListener.apply(signal, args as any);
  };
  signal.removeEventListener = (...args: any[]) => {
    listeners--;
    removeEventListener.apply(signal, args as any);
  };
  const pool = open({ threads: 1 });
  for (let i = 0; i < 20; i++) await call(pool, "wait", { ms: 0 }, signal);
  expect(listeners).toBe(0);
});
