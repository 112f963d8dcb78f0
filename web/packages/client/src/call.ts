import { Calls } from "./calls.js";
import type { Client } from "./client.js";
import { abortReason, codeTimeout, EarshotError } from "./errors.js";
import type { ClientFrames } from "./frames.js";
import { type Handler, Handlers } from "./handlers.js";
import { once } from "./part.js";
import { bodyText, dataBody } from "./publisher.js";
import { randomText } from "./random.js";

export { CallError, type Caller, type Handler } from "./handlers.js";

/** What `call` takes. Every field may be left out. */
export interface CallOptions {
  /** The session to call; the server if left out. */
  to?: string | undefined;
  /** How long to wait for the answer, in milliseconds: 10,000, at most 300,000. */
  timeout?: number | undefined;
  /** The idempotency id: makes a retry by the application harmless. One is made if there is none. */
  idem?: string | undefined;
  /** Gives up waiting. The call may be carried out all the same. */
  signal?: AbortSignal | undefined;
}

const callsOf = once((client: Client) => client.attach((...args) => new Calls(...args)));
const handlersOf = once((client: Client) => client.attach((connection) => new Handlers(connection)));

/**
 * Calls a method of the server, or of a session, and resolves with what it returned. `data` is a JSON value, or a
 * `Uint8Array` as bytes. Across broken connections it is sent again under the same idempotency id until it is answered,
 * or the time is over: then it rejects with `timeout`, as it does when the other side took too long.
 */
export async function call<T = unknown>(
  es: Client,
  method: string,
  data: unknown = null,
  { to, timeout = 10_000, idem, signal }: CallOptions = {},
): Promise<T> {
  const content: ClientFrames["call"] = { method, ...dataBody(data), timeout_ms: timeout };
  content.idem = idem ?? randomText();
  if (to) content.to = to;
  const body = bodyText(content);
  es.mustBeOpen();
  if (signal?.aborted) throw abortReason(signal);
  const abort = new AbortController();
  const aborted = () => abort.abort(abortReason(signal as AbortSignal));
  signal?.addEventListener("abort", aborted);
  const late = new EarshotError(codeTimeout, "the answer did not come in time", "timeout");
  const timer = setTimeout(() => abort.abort(late), timeout);
  try {
    return (await callsOf(es).ask(body, abort.signal)) as T;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", aborted);
  }
}

/**
 * Serves a method to the server and to other sessions, until the returned function is called. What `handler` returns, or
 * the promise of it, is the answer; what it throws is one too, with the text of a `CallError`. A method has one handler;
 * a later one takes its place.
 */
export function handle<T = unknown>(es: Client, method: string, handler: Handler<T>): () => void {
  return handlersOf(es).add(method, handler as Handler);
}
