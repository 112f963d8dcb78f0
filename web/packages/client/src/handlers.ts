import { utf8Length } from "./bytes.js";
import type { Connection } from "./connection.js";
import type { ClientFrames, ServerFrames } from "./frames.js";
import type { Part } from "./part.js";
import { bodyText, dataBody } from "./publisher.js";

/** Who calls. */
export interface Caller {
  /** The session that calls; empty for the server. */
  readonly session: string;
  /** Its identity; empty for an anonymous client. */
  readonly user: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Serves a method. What it returns is a JSON value, or a `Uint8Array` as bytes; undefined is null. */
export type Handler<T = unknown> = (data: T, caller: Caller) => unknown;

/** Thrown by a handler: its text, of at most 256 bytes, is for the caller. That of other errors is not. */
export class CallError extends Error {}

const maxReasonBytes = 256;

/** The methods that a client serves. */
export class Handlers implements Part {
  readonly #connection: Connection;
  readonly #handlers = new Map<string, Handler>();
  /** What ends the calls under way on the link that is open now. */
  #link = new AbortController();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  add(method: string, handler: Handler): () => void {
    this.#handlers.set(method, handler);
    return () => {
      if (this.#handlers.get(method) === handler) this.#handlers.delete(method);
    };
  }

  opened(): void {}

  down(): void {
    this.#link.abort();
    this.#link = new AbortController();
  }

  close(): void {
    this.#link.abort();
    this.#handlers.clear();
  }

  called(id: number, call: ServerFrames["call"]): boolean {
    const handler = this.#handlers.get(call.method);
    if (handler) void this.#serve(id, call, handler);
    return handler !== undefined;
  }

  async #serve(
    id: number,
    { from, user, data, timeout }: ServerFrames["call"],
    handler: Handler,
  ): Promise<void> {
    const { signal } = this.#link;
    const abort = new AbortController();
    const end = () => abort.abort();
    const timer = timeout ? setTimeout(end, timeout) : undefined;
    signal.addEventListener("abort", end);
    const result = await resultOf(async () => handler(data, { session: from, user, signal: abort.signal }));
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    // The id means something else on another link.
    if (!abort.signal.aborted) this.#connection.send("result", result, id);
  }
}

/** What to answer. It never rejects. */
async function resultOf(run: () => Promise<unknown>): Promise<ClientFrames["result"]> {
  try {
    const result = dataBody((await run()) ?? null);
    bodyText(result);
    return result;
  } catch (error) {
    return { error: error instanceof CallError ? shortened(error.message) : "the method failed" };
  }
}

/** As much of a text as an answer can carry. An empty one would be no error. */
function shortened(text: string): string {
  const signs = [...text];
  while (utf8Length(signs.join("")) > maxReasonBytes)
    signs.length = Math.min(signs.length - 1, maxReasonBytes);
  return signs.join("") || "the method failed";
}
