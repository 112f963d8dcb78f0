import { Channel, type HistoryOptions } from "./channel.js";
import { Connection } from "./connection.js";
import { Cursor } from "./cursor.js";
import { Emitter } from "./emitter.js";
import { ClientCode, EarshotError } from "./errors.js";
import type { Page, Receipt } from "./events.js";
import { Feed, type FeedOptions, type Reader } from "./feed.js";
import type { ClientFrames, ServerFrame } from "./frames.js";
import { type Options, type Settings, settingsOf } from "./options.js";
import { Outbox } from "./outbox.js";
import type { Part } from "./part.js";
import { type ChangeKind, commit } from "./publisher.js";
import type { State } from "./state.js";
import { type SubscribeOptions, Subscription } from "./subscription.js";
import { onWake } from "./wake.js";

/** The events of a client. */
export interface ClientEvents {
  state: State;
  /** The server refused something that nobody waits for. */
  error: EarshotError;
}

/** How many history requests may wait for an answer. */
const readLimit = { count: 1_000, bytes: 1 << 20 };

/** A connection to a server, and everything that goes over it. */
export class Client {
  readonly #settings: Settings;
  readonly #emitter = new Emitter<ClientEvents>();
  readonly #connection: Connection;
  readonly #publishes: Outbox;
  readonly #reads: Outbox;
  readonly #parts: Part[] = [];
  readonly #feeds = new Map<string, Feed>();
  readonly #asleep: () => void;
  readonly #signal: AbortSignal | undefined;
  #closing: Promise<void> | undefined;
  /** Why nothing can be asked any more. */
  #over: EarshotError | undefined;

  /** @internal */
  constructor(address: string | URL, options: Options) {
    const settings = settingsOf(address, options);
    const { backoff } = settings;
    this.#settings = settings;
    this.#connection = new Connection(settings, {
      changed: (state) => this.#emitter.emit("state", state),
      opened: () => this.#opened(),
      received: (frame) => this.#received(frame),
      down: () => this.#down(),
      closed: (error) => this.#closed(error),
    });
    this.#publishes = new Outbox(this.#connection, {
      ...settings.publishQueue,
      backoff,
      retryMs: settings.publishRetryMs,
    });
    this.#reads = new Outbox(this.#connection, { ...readLimit, backoff, retryMs: Number.POSITIVE_INFINITY });
    this.#parts.push(this.#publishes, this.#reads);
    this.#asleep = onWake(() => this.wake());
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#aborted);
    if (this.#signal?.aborted) void this.close();
    else this.#connection.connect();
  }

  get state(): State {
    return this.#connection.state;
  }

  /** Calls `listener` until the returned function is called. */
  on<K extends keyof ClientEvents>(type: K, listener: (event: ClientEvents[K]) => void): () => void {
    return this.#emitter.on(type, listener);
  }

  /**
   * Tells that the network or the application may be back: the next attempt starts at once, unless the server named a
   * time, and an open link is asked for a sign of life. In a page that happens by itself; React Native's AppState can call it.
   */
  wake(): void {
    this.#connection.wake();
  }

  channel<T = unknown>(name: string): Channel<T> {
    return new Channel<T>(this, name);
  }

  /** Gives the server a fresh token from the callback without connecting anew. Rejects if it is refused. */
  async refresh(signal?: AbortSignal): Promise<void> {
    const body = JSON.stringify({ token: (await this.#connection.token()) ?? "" });
    this.mustBeOpen();
    await this.#reads.ask({ kind: "refresh", body, wanted: "refreshed", signal });
  }

  /**
   * Ends the client. From now on nothing new is accepted; publishes that were sent are waited for a little, and what has
   * no answer then is rejected. Resolves when the connection is closed. Calling it again changes nothing.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** @internal */
  subscribe<T>(channel: string, options: SubscribeOptions): Subscription<T> {
    return new Subscription<T>(channel, options, (owner) => {
      const { since, last, echo } = options;
      const start = { since, last };
      const feed = this.#feeds.get(channel) ?? this.#feed({ channel, start, noEcho: echo === false });
      const limit = { count: 1_000, bytes: 1 << 20, ...options.queue };
      const cursor = new Cursor({ feed, start, limit, owner });
      const error = this.#over ?? misfit(feed, options);
      if (error) cursor.ended(error);
      else {
        this.#feeds.set(channel, feed);
        feed.add(cursor);
      }
      return cursor;
    });
  }

  /**
   * Has `reader` follow a map, alone. Returns what ends that. Throws if nothing can be asked any more, or if somebody
   * follows the channel already.
   * @internal
   */
  follow(channel: string, reader: Reader, everyMs: number): () => void {
    this.mustBeOpen();
    if (this.#feeds.has(channel))
      throw new EarshotError(ClientCode.badUse, "the channel is followed already, as a stream");
    const feed = this.#feed({ channel, start: {}, noEcho: false, everyMs });
    this.#feeds.set(channel, feed);
    feed.add(reader);
    return () => feed.remove(reader);
  }

  /**
   * Adds a part, which is told of the connection from now on.
   * @internal
   */
  attach<P extends Part>(make: (connection: Connection, settings: Settings) => P): P {
    const part = make(this.#connection, this.#settings);
    this.#parts.push(part);
    if (this.#over) part.close(this.#over);
    return part;
  }

  /** @internal */
  async commit<K extends ChangeKind>(kind: K, body: ClientFrames[K], signal?: AbortSignal): Promise<Receipt> {
    this.mustBeOpen();
    return commit(this.#publishes, kind, body, signal);
  }

  /**
   * Tells of an error that nobody waits for.
   * @internal
   */
  report(error: EarshotError): void {
    this.#emitter.emit("error", error);
  }

  /** @internal */
  async history(channel: string, { signal, ...query }: HistoryOptions): Promise<Page> {
    this.mustBeOpen();
    const body = JSON.stringify({ ch: channel, ...query });
    const { publications, position, complete, more, keys } = await this.#reads.ask({
      kind: "history",
      body,
      wanted: "page",
      signal,
    });
    return { publications, position, complete, more, ...(keys !== undefined && { keys }) };
  }

  #feed(options: Pick<FeedOptions, "channel" | "start" | "noEcho" | "everyMs">): Feed {
    return new Feed({
      ...options,
      connection: this.#connection,
      reads: this.#reads,
      backoff: this.#settings.backoff,
      vacant: () => this.#feeds.delete(options.channel),
    });
  }

  /**
   * Throws if nothing can be asked any more.
   * @internal
   */
  mustBeOpen(): void {
    if (this.#over) throw this.#over;
  }

  readonly #aborted = () => void this.close();

  async #close(): Promise<void> {
    this.#over ??= new EarshotError(ClientCode.closed, "the client was closed");
    this.#endFeeds(undefined);
    for (const part of this.#parts) if (part !== this.#publishes) part.close(this.#over);
    if (this.#connection.isOpen) {
      this.#connection.closing();
      await soon(this.#publishes.empty(), this.#settings.closeTimeoutMs);
    }
    await this.#connection.close();
  }

  /** Positions are named before publishes are sent again, so that a subscriber sees its own in their place. */
  #opened(): void {
    for (const feed of this.#feeds.values()) feed.opened();
    for (const part of this.#parts) part.opened();
  }

  #down(): void {
    for (const feed of this.#feeds.values()) feed.down();
    for (const part of this.#parts) part.down();
  }

  #received(frame: ServerFrame): void {
    if (frame.kind === "error")
      this.report(new EarshotError(frame.body.code, frame.body.reason, frame.body.name));
    else if (frame.kind === "call") {
      if (!this.#parts.some((part) => part.called?.(frame.id, frame.body)))
        this.#connection.send("result", { error: "there is no such method here" }, frame.id);
    } else if ("channel" in frame.body) this.#feeds.get(frame.body.channel)?.received(frame);
  }

  #closed(error: EarshotError): void {
    this.#over ??= error;
    this.#asleep();
    this.#signal?.removeEventListener("abort", this.#aborted);
    for (const part of this.#parts) part.close(this.#over);
    this.#endFeeds(this.#over);
  }

  #endFeeds(error: EarshotError | undefined): void {
    for (const feed of [...this.#feeds.values()]) feed.end(error);
  }
}

/** Why a subscription cannot share the channel's feed, if so. */
function misfit(feed: Feed, { echo, since, last }: SubscribeOptions): EarshotError | undefined {
  if (feed.isMap) return new EarshotError(ClientCode.badUse, "the channel is followed already, as a map");
  if (feed.noEcho !== (echo === false)) {
    return new EarshotError(ClientCode.badUse, "echo must be the same for all subscriptions of a channel");
  }
  if (!feed.noEcho || feed.isFresh || (since === undefined && !last)) return undefined;
  return new EarshotError(
    ClientCode.badUse,
    "without echoes, only a channel's first subscription can start in the past",
  );
}

/** Waits for `work`, but not longer than `ms`. */
async function soon(work: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
