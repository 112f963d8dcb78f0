import type { Connection } from "./connection.js";
import { codeInternal, codeTimeout, type EarshotError } from "./errors.js";
import type { Settings } from "./options.js";
import { Outbox } from "./outbox.js";
import type { Part } from "./part.js";

/** How many calls may wait for an answer: as many as the server takes from a connection. */
const limit = { count: 64, bytes: 1 << 20 };

/** The calls that a client makes. */
export class Calls implements Part {
  readonly #outbox: Outbox;

  constructor(connection: Connection, { backoff, publishRetryMs }: Settings) {
    this.#outbox = new Outbox(connection, {
      ...limit,
      backoff,
      retryMs: publishRetryMs,
      // The other side had its time, or failed: making the call once more is for the application to decide.
      final: [codeInternal, codeTimeout],
    });
  }

  /** Resolves with what was returned. */
  async ask(body: string, signal: AbortSignal): Promise<unknown> {
    return (await this.#outbox.ask({ kind: "call", body, wanted: "result", signal })).data;
  }

  opened(): void {
    this.#outbox.opened();
  }

  down(): void {
    this.#outbox.down();
  }

  close(error: EarshotError): void {
    this.#outbox.close(error);
  }
}
