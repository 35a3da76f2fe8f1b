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
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" } });
  } catch (error) {
    throw new ApiError(`the server cannot be reached (${error instanceof Error ? error.message : String(error)})`, 0);
  }
  if (response.status === 401) askForToken();
  if (!response.ok) throw new ApiError(await messageOf(response), response.status);
  return (await response.json()) as Answer;
}

/** Exchanges the token for a cookie. Returns whether the server took it. */
export async function logIn(token: string): Promise<boolean> {
  const response = await fetch("api/login", { method: "POST", headers: { authorization: `Bearer ${token}` } });
  if (response.status === 429) throw new ApiError("too many attempts; wait a minute", 429);
  return response.ok;
}

export function runPath(run: string, ...rest: readonly string[]): string {
  return ["api/runs", encodeURIComponent(run), ...rest.map(encodeURIComponent)].join("/");
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
