import type { Cursor } from "./cursor.js";
import { call, Emitter } from "./emitter.js";
import { ClientCode, EarshotError, ResetError } from "./errors.js";
import type { MissedEvent, Publication, ResetEvent } from "./events.js";
import type { QueueLimit } from "./options.js";
import type { Delivery } from "./queue.js";

/** What `subscribe` takes. Every field may be left out. */
export interface SubscribeOptions {
  /** Start after this position, or be told of a reset. */
  since?: string | undefined;
  /** Start this many publications before the newest, and go on so after a reset. */
  last?: number | undefined;
  /** `false` leaves out what this client publishes itself. It must be the same for all subscriptions of a channel. */
  echo?: boolean | undefined;
  /** Called after a reset. If it returns a promise, delivery goes on when that resolves. */
  onReset?: (event: ResetEvent) => void | Promise<void>;
  /** Called when publications of a channel that keeps nothing went by unread. */
  onMissed?: (event: MissedEvent) => void;
  /** Ends the subscription when it aborts. */
  signal?: AbortSignal | undefined;
  /** How much may wait for the consumer before the log is read again instead: 1,000 publications of 1 MiB together. */
  queue?: Partial<QueueLimit>;
}

/** The events of a subscription. */
export interface SubscriptionEvents<T> {
  publication: Publication<T>;
  reset: ResetEvent;
  missed: MissedEvent;
  /** It ended, with an error if the application did not ask for that. */
  closed: Error | undefined;
}

interface Waiter<T> {
  resolve(result: IteratorResult<Publication<T>, undefined>): void;
  reject(error: unknown): void;
}

/** Makes the cursor of a subscription. */
export type Enter = (owner: { arrived(): void; ended(error?: EarshotError): void }) => Cursor;

/** A stream of a channel's publications: to be iterated, or listened to. It lasts until it is closed. */
export class Subscription<T> implements AsyncIterable<Publication<T>> {
  readonly channel: string;
  readonly #options: SubscribeOptions;
  readonly #emitter = new Emitter<SubscriptionEvents<T>>();
  readonly #waiters: Waiter<T>[] = [];
  readonly #cursor: Cursor;
  #missed = 0;
  #held = false;
  /** The cursor has ended, with this error if any. */
  #end: { error: EarshotError | undefined } | undefined;
  #closed = false;

  /** @internal */
  constructor(channel: string, options: SubscribeOptions, enter: Enter) {
    this.channel = channel;
    this.#options = options;
    this.#cursor = enter({
      arrived: () => this.#serve(),
      ended: (error) => {
        this.#end = { error };
        this.#serve();
      },
    });
    options.signal?.addEventListener("abort", this.#aborted);
    if (options.signal?.aborted) this.close();
  }

  /** After the publication that was handed over last. Name it as `since` to go on from there, in any client. */
  get position(): string | undefined {
    return this.#cursor.position;
  }

  /** How many publications of a channel that keeps nothing went by unread. */
  get missed(): number {
    return this.#missed;
  }

  /**
   * Calls `listener` until the returned function is called. With a listener for `publication` the subscription hands
   * over everything at once and cannot be iterated.
   */
  on<K extends keyof SubscriptionEvents<T>>(
    type: K,
    listener: (event: SubscriptionEvents<T>[K]) => void,
  ): () => void {
    const off = this.#emitter.on(type, listener);
    // Not at once, so that listeners for other events can be added first.
    queueMicrotask(() => this.#serve());
    return off;
  }

  [Symbol.asyncIterator](): AsyncIterator<Publication<T>, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  /** Ends the subscription: iterators finish, and nothing is handed over any more. */
  close(): void {
    this.#finish(undefined);
  }

  #next(): Promise<IteratorResult<Publication<T>, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#listening)
        throw new EarshotError(ClientCode.badUse, "a subscription with listeners cannot be iterated");
      this.#waiters.push({ resolve, reject });
      this.#serve();
    });
  }

  readonly #aborted = () => this.close();

  get #listening(): boolean {
    return this.#emitter.has("publication");
  }

  /** Hands over what there is, while somebody wants it. */
  #serve(): void {
    while (!this.#closed && !this.#held && (this.#waiters.length || this.#listening)) {
      const delivery = this.#cursor.take();
      if (delivery) this.#handOver(delivery);
      else if (this.#end) this.#finish(this.#end.error);
      else return;
    }
    if (this.#closed)
      for (const waiter of this.#waiters.splice(0)) waiter.resolve({ done: true, value: undefined });
  }

  #handOver(delivery: Delivery): void {
    if (delivery.kind === "reset") this.#reset(delivery.body);
    else if (delivery.kind === "missed") this.#miss(delivery.body);
    else {
      const publication = delivery.body as Publication<T>;
      const waiter = this.#waiters.shift();
      if (waiter) waiter.resolve({ done: false, value: publication });
      else this.#emitter.emit("publication", publication);
    }
  }

  #miss(event: MissedEvent): void {
    this.#missed += event.count;
    if (this.#options.onMissed) call(this.#options.onMissed, event);
    this.#emitter.emit("missed", event);
  }

  /** Tells of a reset, and holds delivery back until `onReset` is done. Without anybody to tell it is the end. */
  #reset(event: ResetEvent): void {
    const { onReset } = this.#options;
    if (!onReset && !this.#emitter.has("reset")) return this.#finish(new ResetError(event));
    this.#emitter.emit("reset", event);
    if (!onReset) return;
    this.#held = true;
    void (async () => onReset(event))().then(
      () => {
        this.#held = false;
        this.#serve();
      },
      (error) => this.#finish(error),
    );
  }

  #finish(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.signal?.removeEventListener("abort", this.#aborted);
    this.#cursor.close();
    if (error) this.#waiters.shift()?.reject(error);
    this.#serve();
    this.#emitter.emit("closed", error);
    this.#emitter.clear();
  }
}
