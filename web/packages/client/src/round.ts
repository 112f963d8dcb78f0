import type { Feed } from "./feed.js";
import type { QueueLimit } from "./options.js";
import { type Delivery, Queue } from "./queue.js";
import { covers, type End } from "./stretch.js";

/** How a reader of the log goes over to the feed. */
export interface Join {
  /** What the feed offered after the end of the read. */
  readonly tail: Queue;
  /** The feed is still at or before this end, and will repeat what was read. */
  readonly ahead: End | undefined;
}

/** One read of the log while the feed goes on: it keeps what the feed offers meanwhile, so that the two can be joined. */
export class Round {
  readonly #feed: Feed;
  /** Where the feed was when the read began. What was newest then is at or after it. */
  readonly #feedWas: string | undefined;
  readonly #resets: number;
  #tail: Queue | undefined;

  constructor(feed: Feed, limit: QueueLimit) {
    this.#feed = feed;
    this.#feedWas = feed.position;
    this.#resets = feed.resets;
    this.#tail = new Queue(limit);
  }

  /** Everything that the feed offered since the round began; undefined if it was too much to keep. */
  get tail(): Queue | undefined {
    return this.#tail;
  }

  keep(delivery: Delivery, bytes: number): void {
    if (this.#tail?.fits(1, bytes)) this.#tail.push(delivery, bytes);
    else this.#tail = undefined;
  }

  /**
   * Joins the feed at the end of a read that reached what was newest. Undefined if that is not possible: too much was
   * offered, or the feed was reset, so that its places do not compare with the end. Then another round is needed.
   */
  join(end: End): Join | undefined {
    const tail = this.#tail;
    if (!tail || this.#resets !== this.#feed.resets) return undefined;
    const dropped = tail.dropThrough((delivery) => covers(end, delivery));
    const met = this.#feedWas === end.position || dropped?.body.position === end.position;
    // Without an offset nothing tells a publication before the end from one after it, except having met the end.
    if (!met && !end.offset) tail.clear();
    return { tail, ahead: met || tail.length ? undefined : end };
  }
}
