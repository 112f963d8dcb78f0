import type { MissedEvent, Publication, ResetEvent } from "./events.js";
import type { QueueLimit } from "./options.js";

/** What a subscription is told, in order. */
export type Delivery =
  | { readonly kind: "pub"; readonly body: Publication }
  | { readonly kind: "reset"; readonly body: ResetEvent }
  | { readonly kind: "missed"; readonly body: MissedEvent };

/** Deliveries that wait for their consumer, bounded in number and bytes. */
export class Queue {
  readonly #limit: QueueLimit;
  readonly #items: { delivery: Delivery; bytes: number }[] = [];
  #bytes = 0;

  constructor(limit: QueueLimit) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#items.length;
  }

  /** How many publications the consumer would miss without what is queued. */
  get count(): number {
    return this.#items.reduce((sum, { delivery }) => sum + publications(delivery), 0);
  }

  /** Whether `count` deliveries of `bytes` together fit. Into an empty queue the first always does. */
  fits(count: number, bytes: number): boolean {
    if (!this.#items.length && count <= 1) return true;
    return this.#items.length + count <= this.#limit.count && this.#bytes + bytes <= this.#limit.bytes;
  }

  push(delivery: Delivery, bytes: number): void {
    this.#items.push({ delivery, bytes });
    this.#bytes += bytes;
  }

  /** Puts a notice before everything else. It counts for no bytes. */
  unshift(notice: Delivery): void {
    this.#items.unshift({ delivery: notice, bytes: 0 });
  }

  shift(): Delivery | undefined {
    const item = this.#items.shift();
    this.#bytes -= item?.bytes ?? 0;
    return item?.delivery;
  }

  /** Moves everything to the end of `other`. */
  moveTo(other: Queue): void {
    for (const { delivery, bytes } of this.#items) other.push(delivery, bytes);
    this.clear();
  }

  /** Whether everything here fits behind what `other` holds. */
  fitsInto(other: Queue): boolean {
    return !this.length || other.fits(this.length, this.#bytes);
  }

  /** Drops the deliveries from the first to the last that `done` is true for; returns that one, if there is one. */
  dropThrough(done: (delivery: Delivery) => boolean): Delivery | undefined {
    let count = 0;
    this.#items.forEach(({ delivery }, i) => {
      if (done(delivery)) count = i + 1;
    });
    let last: Delivery | undefined;
    while (count-- > 0) last = this.shift();
    return last;
  }

  /** Drops everything and returns how many publications that were, with those reported as missed before. */
  clear(): number {
    const { count } = this;
    this.#items.length = 0;
    this.#bytes = 0;
    return count;
  }
}

/** How many publications a consumer misses that is not told of a delivery. */
export function publications(delivery: Delivery): number {
  return delivery.kind === "pub" ? 1 : delivery.kind === "missed" ? delivery.body.count : 0;
}
