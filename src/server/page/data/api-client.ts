import type { SessionState } from "../../routes/read-session.js";

/** An answer of the server other than success; status 0 means that it cannot be reached. */
export class ApiError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** Called when the server wants a token. */
let askForToken: () => void = () => {};

export function onUnauthorized(ask: () => void): void {
  askForToken = ask;
}

/** The JSON of an address of our server. */
export async function getJson<Answer>(path: string): Promise<Answer> {
  const response = await answerOf(path, { headers: { accept: "application/json" } });
  if (response.status === 401) askForToken();
  if (!response.ok) throw new ApiError(await messageOf(response), response.status);
  return (await response.json()) as Answer;
}

/** Sends JSON and reads the JSON of the answer. */
export async function postJson<Answer>(path: string, body: unknown): Promise<Answer> {
  const response = await answerOf(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!response.ok) throw new ApiError(await messageOf(response), response.status);
  return (await response.json()) as Answer;
}

/** The bytes at an address of our server; refused when there are more than `most`. */
export async function getBytes(path: string, most: number): Promise<ArrayBuffer> {
  const response = await answerOf(path, {});
  if (!response.ok) throw new ApiError(await messageOf(response), response.status);
  if (Number(response.headers.get("content-length")) > most) throw new ApiError("the file is too large to be shown", 413);
  return response.arrayBuffer();
}

/** Exchanges the token for a cookie. Returns whether the server took it. */
export async function logIn(token: string): Promise<boolean> {
  const response = await fetch("api/login", { method: "POST", headers: { authorization: `Bearer ${token}` } });
  if (response.status === 429) throw new ApiError("too many attempts; wait a minute", 429);
  rights = undefined;
  return response.ok;
}

let rights: Promise<SessionState> | undefined;

/** What this browser may do here; asked for once. */
export function sessionState(): Promise<SessionState> {
  rights ??= getJson<SessionState>("api/session").catch((error) => {
    rights = undefined;
    throw error;
  });
  return rights;
}

export function runPath(run: string, ...rest: readonly string[]): string {
  return ["api/runs", encodeURIComponent(run), ...rest.map(encodeURIComponent)].join("/");
}

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    throw new ApiError(`the server cannot be reached (${error instanceof Error ? error.message : String(error)})`, 0);
  }
}

async function messageOf(response: Response): Promise<string> {
  try {
    const { error, message } = (await response.json()) as { error?: { message?: string }; message?: string };
    return error?.message ?? message ?? response.statusText;
  } catch {
    // Not JSON: an answer of something between us and the server.
    return response.statusText;
  }
}
