import { type BackoffOptions, backoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import type { Start } from "./cursor.js";
import { EarshotError, isTemporary, needsToken } from "./errors.js";
import type { ClientFrames, Refusal, ServerFrame, ServerFrames } from "./frames.js";
import type { Outbox } from "./outbox.js";
import type { Delivery } from "./queue.js";

/** One who follows a feed. */
export interface Reader {
  /** After what was taken last; undefined until it is known where the reader begins. */
  readonly position: string | undefined;
  /** The feed stands at `position` and goes on from there. */
  ready(position: string): void;
  offer(delivery: Delivery, bytes: number): void;
  /** The feed went on to `position` without a delivery; `synced` if that is because a map is known in whole. */
  moved(position: string, synced: boolean): void;
  /** The feed has ended. */
  ended(error?: EarshotError): void;
}

/** What a feed is made of. */
export interface FeedOptions {
  channel: string;
  start: Start;
  noEcho: boolean;
  /** Of a map that one reader follows alone: at least so long between two deliveries. */
  everyMs?: number | undefined;
  connection: Connection;
  reads: Outbox;
  backoff: BackoffOptions;
  /** Nobody listens any more. */
  vacant: () => void;
}

/** The client's one subscription of a channel on the wire, shared by all that read it. */
export class Feed {
  readonly channel: string;
  readonly noEcho: boolean;
  /** Whether the channel keeps a log; undefined until that is known. */
  retained: boolean | undefined;
  readonly #options: FeedOptions;
  readonly #readers = new Set<Reader>();
  #position: string | undefined;
  #resets = 0;
  #active = false;
  /** The request on the link that is open now that was not refused; the answer to another one comes too late. */
  #request: object | undefined;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: FeedOptions) {
    this.channel = options.channel;
    this.noEcho = options.noEcho;
    this.#options = options;
    this.#position = options.start.since;
  }

  /** No reader came yet: the first is where the feed itself starts. */
  get isFresh(): boolean {
    return !this.#readers.size;
  }

  /** The server has confirmed the subscription on the link that is open now. */
  get active(): boolean {
    return this.#active;
  }

  /** After the last thing that the server told. */
  get position(): string | undefined {
    return this.#position;
  }

  /** How many times the server said that before and after do not join. */
  get resets(): number {
    return this.#resets;
  }

  /** A map's reader follows it alone. */
  get isMap(): boolean {
    return this.#options.everyMs !== undefined;
  }

  /** Adds a reader. The first makes the feed subscribe. */
  add(reader: Reader): void {
    this.#readers.add(reader);
    if (this.#readers.size === 1) this.opened();
    else if (this.#active) reader.ready(this.#position ?? "");
  }

  /** Has the server go on after the place of `reader`, if no other one follows the feed. Reports whether it will. */
  rewind(reader: Reader): boolean {
    if (this.#readers.size > 1 || reader.position === undefined) return false;
    this.#position = reader.position;
    this.#leave();
    this.opened();
    return true;
  }

  remove(reader: Reader): void {
    if (!this.#readers.delete(reader) || this.#readers.size) return;
    this.#leave();
    this.#options.vacant();
  }

  async history(
    query: Omit<ClientFrames["history"], "ch">,
    signal: AbortSignal,
  ): Promise<ServerFrames["page"]> {
    const body = JSON.stringify({ ch: this.channel, ...query });
    return this.#options.reads.ask({ kind: "history", body, wanted: "page", signal });
  }

  opened(): void {
    const { connection } = this.#options;
    if (!connection.isOpen || !this.#readers.size) return;
    const request = this.#wanted();
    this.#request = request;
    connection.request("sub", JSON.stringify(request), (frame) => {
      if (this.#request === request) this.#answered(frame);
    });
  }

  down(): void {
    this.#stop();
  }

  received(frame: ServerFrame): void {
    // Frames of a subscription that was ended here may still be on their way when a new one has been asked for.
    if (!this.#active) return;
    if (frame.kind === "unsubscribed") {
      this.#stop();
      if (frame.body.code) this.#refused(frame.body);
    } else if (frame.kind === "pub" || frame.kind === "reset" || frame.kind === "missed") {
      this.#position = frame.body.position || this.#position;
      if (frame.kind === "reset") this.#resets++;
      if (frame.kind === "missed") this.retained = false;
      for (const reader of [...this.#readers]) reader.offer(frame, frame.size);
    } else if (frame.kind === "moved" || frame.kind === "synced") {
      this.#position = frame.body.position;
      for (const reader of [...this.#readers]) reader.moved(frame.body.position, frame.kind === "synced");
    }
  }

  /** Ends every reader; with an error unless the application asked for it. */
  end(error?: EarshotError): void {
    this.#stop();
    const readers = [...this.#readers];
    this.#readers.clear();
    // First, because an application that is told may subscribe again at once, and needs a new feed.
    this.#options.vacant();
    for (const reader of readers) reader.ended(error);
  }

  #wanted(): ClientFrames["sub"] {
    const { start, everyMs } = this.#options;
    const request: ClientFrames["sub"] = { ch: this.channel };
    if (this.#position !== undefined) request.since = this.#position;
    else if (start.last) request.last = start.last;
    if (this.noEcho) request.echo = false;
    if (everyMs) request.every_ms = everyMs;
    return request;
  }

  #answered(frame: ServerFrame): void {
    if (frame.kind === "error") return this.#refused(frame.body);
    if (frame.kind !== "subscribed") return;
    this.#active = true;
    this.#failures = 0;
    // An earlier position stays until something follows it: were the link to break before a reset is told, naming the
    // answer's position would hide it.
    this.#position ??= frame.body.position;
    for (const reader of [...this.#readers]) reader.ready(this.#position);
  }

  #refused(refusal: Refusal): void {
    this.#stop();
    const { connection, backoff: bounds } = this.#options;
    if (needsToken(refusal.code)) connection.refused(refusal);
    else if (isTemporary(refusal.code)) {
      this.#retry = setTimeout(() => this.opened(), refusal.delay ?? backoff(this.#failures++, bounds));
    } else this.end(new EarshotError(refusal.code, refusal.reason, refusal.name));
  }

  #leave(): void {
    if (this.#request) this.#options.connection.send("unsub", { ch: this.channel });
    this.#stop();
  }

  #stop(): void {
    this.#active = false;
    this.#request = undefined;
    clearTimeout(this.#retry);
  }
}
