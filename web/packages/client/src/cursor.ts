import { codeNoHistory, type EarshotError } from "./errors.js";
import type { ResetReason } from "./events.js";
import type { Feed, Reader } from "./feed.js";
import type { QueueLimit } from "./options.js";
import { type Delivery, publications, Queue } from "./queue.js";
import { Round } from "./round.js";
import { covers, type End, readLast, readSince, type Stretch } from "./stretch.js";

/** Where a subscription starts: after a position, or a number of publications before the newest. */
export interface Start {
  since?: string | undefined;
  last?: number | undefined;
}

/** The subscription that a cursor belongs to. */
export interface CursorOwner {
  /** There may be something to take. */
  arrived(): void;
  /** The cursor ended. What it holds can still be taken. */
  ended(error?: EarshotError): void;
}

/** What a cursor is made of. */
export interface CursorOptions {
  feed: Feed;
  start: Start;
  limit: QueueLimit;
  owner: CursorOwner;
}

/**
 * One subscription's place in a channel. While it is `live` it queues what the feed offers. When it is `starting` (it
 * came to a feed that was under way) or `behind` (its consumer is slow) it takes nothing from the feed, and reads the
 * log page by page, as fast as its consumer asks, until it can join the feed without a gap or a repeat.
 */
export class Cursor implements Reader {
  readonly #feed: Feed;
  readonly #owner: CursorOwner;
  readonly #start: Start;
  readonly #limit: QueueLimit;
  readonly #abort = new AbortController();
  readonly #queue: Queue;
  #mode: "live" | "starting" | "behind";
  /** After what the consumer took last; undefined until it is known where the subscription begins. */
  #position: string | undefined;
  /** Where to read on is not the position, but this many publications before the newest. */
  #last: number | undefined;
  /** Live, but the feed is still at or before this end of what was read from the log. */
  #ahead: End | undefined;
  #round: Round | undefined;
  /** Publications that the feed offered and that were dropped since the cursor fell behind. */
  #dropped = 0;

  constructor({ feed, start, limit, owner }: CursorOptions) {
    this.#feed = feed;
    this.#owner = owner;
    this.#start = start;
    this.#limit = limit;
    this.#queue = new Queue(limit);
    this.#position = start.since;
    this.#mode = feed.isFresh ? "live" : "starting";
    if (start.since === undefined) this.#last = start.last ?? 0;
  }

  /** Name it as `since` to go on after what was taken last. */
  get position(): string | undefined {
    return this.#position;
  }

  ready(position: string): void {
    if (this.#mode === "live") this.#position ??= position;
    // Not when the consumer asks: what is published from now on is for it.
    if (this.#mode === "starting") this.#catchUp();
    this.#owner.arrived();
  }

  offer(delivery: Delivery, bytes: number): void {
    if (this.#mode !== "live") {
      this.#dropped += publications(delivery);
      this.#round?.keep(delivery, bytes);
      return;
    }
    const compares = delivery.kind !== "reset" || !this.#ahead;
    if (compares && this.#isRepeat(delivery)) return;
    if (compares && this.#makeRoom(bytes)) this.#put(delivery, bytes);
    else this.#fallBehind(delivery);
    this.#owner.arrived();
  }

  /** The feed went over publications that were left out by `echo: false`. */
  moved(position: string): void {
    if (this.#mode === "live" && !this.#queue.length) this.#position = position;
  }

  /** The next delivery. Undefined if there is none now; the owner is told when there may be. */
  take(): Delivery | undefined {
    let delivery = this.#queue.shift();
    if (!delivery && this.#mode !== "live" && this.#feed.active) {
      this.#catchUp();
      delivery = this.#queue.shift();
    }
    if (delivery) this.#position = delivery.body.position || this.#position;
    return delivery;
  }

  /** Leaves the feed and drops what is queued. */
  close(): void {
    this.#abort.abort();
    this.#queue.clear();
    this.#feed.remove(this);
  }

  ended(error?: EarshotError): void {
    this.#abort.abort();
    this.#owner.ended(error);
  }

  /** Whether the log gave this already. Without an offset the end is only recognised when the feed comes to it. */
  #isRepeat(delivery: Delivery): boolean {
    const end = this.#ahead;
    if (!end) return false;
    const covered = covers(end, delivery);
    if (covered ? delivery.body.position === end.position : end.offset) this.#ahead = undefined;
    return covered || !end.offset;
  }

  /** In a channel that keeps nothing the oldest give way, and the consumer is told how many. */
  #makeRoom(bytes: number): boolean {
    if (this.#queue.fits(1, bytes)) return true;
    if (this.#feed.retained !== false) return false;
    let [count, position] = [0, ""];
    while (!this.#queue.fits(1, bytes)) {
      const oldest = this.#queue.shift() as Delivery;
      count += publications(oldest);
      position = oldest.body.position;
    }
    this.#queue.unshift({ kind: "missed", body: { channel: this.#feed.channel, count, position } });
    return true;
  }

  #put(delivery: Delivery, bytes: number): void {
    this.#queue.push(delivery, bytes);
    if (delivery.kind === "reset") this.#startAgain();
  }

  /** After a reset the stream goes on as it started: with the `last` newest, if that was asked for. */
  #startAgain(): void {
    if (!this.#start.last || this.#feed.noEcho) return;
    this.#mode = "behind";
    this.#last = this.#start.last;
  }

  /** Drops what is queued: it will be read from the log when the consumer is ready for it. */
  #fallBehind(delivery: Delivery): void {
    this.#mode = "behind";
    this.#last = undefined;
    this.#ahead = undefined;
    this.#dropped = this.#queue.clear() + publications(delivery);
  }

  #catchUp(): void {
    if (this.#round) return;
    if (!this.#feed.noEcho) void this.#readOn(new Round(this.#feed, this.#limit));
    else if (this.#mode === "starting") this.#goLive();
    else this.#hearAgain();
  }

  async #readOn(round: Round): Promise<void> {
    this.#round = round;
    try {
      const stretch = await this.#read();
      if (this.#last === undefined && !stretch.page.complete) this.#lost(stretch);
      else this.#append(stretch, round);
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#refused(error as EarshotError, round);
    }
    this.#round = undefined;
    this.#owner.arrived();
  }

  #read(): Promise<Stretch> {
    const read = (query: object) => this.#feed.history(query, this.#abort.signal);
    if (this.#last !== undefined) return readLast(read, this.#last, this.#limit.count);
    return readSince(read, this.#position ?? "", this.#limit.count);
  }

  #append({ page, publications, end, atTop }: Stretch, round: Round): void {
    const bytes = page.bytes / Math.max(1, page.publications.length);
    for (const body of publications) this.#queue.push({ kind: "pub", body }, bytes);
    if (!publications.length) this.#position = end.position;
    this.#last = undefined;
    this.#mode = "behind";
    const join = atTop ? round.join(end) : undefined;
    if (join?.tail.fitsInto(this.#queue)) this.#goLive(join.tail, join.ahead);
  }

  /** The log does not join with the position any more. */
  #lost({ page }: Stretch): void {
    this.#reset(page.publications.length ? "evicted" : "unknown", page.position);
    this.#mode = "behind";
    if (this.#start.last) this.#last = this.#start.last;
  }

  /** The log cannot be read: the channel keeps none, or the client may not. */
  #refused(error: EarshotError, round: Round): void {
    if (error.code === codeNoHistory) this.#nothingKept(round);
    else if (this.#mode !== "starting") this.#hearAgain();
    else if (this.#last === 0) this.#goLive(round.tail);
    else {
      this.#feed.remove(this);
      this.ended(error);
    }
  }

  #nothingKept(round: Round): void {
    const { position = "" } = this.#feed;
    this.#feed.retained = false;
    if (this.#mode === "starting") {
      if (this.#start.since !== undefined) this.#reset("unknown", position);
    } else this.#miss(this.#dropped - (round.tail?.count ?? 0), position);
    this.#goLive(round.tail);
  }

  /** Has the feed repeat what was dropped. Where others follow it too it cannot, and the consumer is told. */
  #hearAgain(): void {
    this.#goLive();
    if (!this.#feed.rewind(this)) this.#reset("unread", this.#feed.position ?? "");
  }

  #goLive(tail?: Queue, ahead?: End): void {
    tail?.moveTo(this.#queue);
    this.#ahead = ahead;
    this.#dropped = 0;
    this.#mode = "live";
  }

  #reset(why: ResetReason, position: string): void {
    this.#queue.push({ kind: "reset", body: { channel: this.#feed.channel, position, why } }, 0);
  }

  #miss(count: number, position: string): void {
    if (count)
      this.#queue.push({ kind: "missed", body: { channel: this.#feed.channel, count, position } }, 0);
  }
}
