import { signal } from "@preact/signals";
import type { InboxLog, Post } from "../src/live/mailbox";
import type { ReadMarks } from "../src/live/reading";
import type { Arrived } from "../src/model/mail";
import { readEvent } from "../src/model/mail";
import { ada, me, received } from "./make";

/** Marks in memory: the server of one channel. */
export class FakeMarks implements ReadMarks {
  readonly upTo = signal<number | undefined>(0);
  readonly count = signal(0);
  readonly hasCursor = signal(false);
  readonly moves: number[] = [];
  closed = false;

  advance({ offset }: { offset: number }): void {
    this.moves.push(offset);
    this.upTo.value = offset;
    this.hasCursor.value = true;
  }

  close(): void {
    this.closed = true;
  }
}

/** The person's inbox in memory. What is put into it arrives at once. */
export class FakeInbox implements InboxLog {
  readonly sent: { to: string; data: unknown; idem: string }[] = [];
  readonly noted: { peer: string; upTo: number }[] = [];
  log: Arrived[] = [];
  onReset = async () => {};
  fails: Error | undefined;
  private readonly queue: Arrived[] = [];
  private wake = () => {};

  /** A letter, a note or something else arrives. */
  put(peer: string, mine = false, data: unknown = { text: "hello" }, event = "message"): void {
    const arrived = { ...received((this.log.at(-1)?.offset ?? 0) + 1, data), event, peer, mine };
    this.log.push({ ...arrived, user: mine ? me.id : peer });
    this.queue.push(...this.log.slice(-1));
    this.wake();
  }

  async *subscribe(options: { onReset: () => Promise<void>; signal: AbortSignal }): AsyncGenerator<Arrived> {
    this.onReset = options.onReset;
    this.queue.length = 0;
    while (!options.signal.aborted) {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) yield next;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        options.signal.addEventListener("abort", () => resolve());
      });
    }
  }

  async history(query: { before?: string; limit: number }) {
    if (this.fails !== undefined) throw this.fails;
    const end = this.log.findIndex(({ position }) => position === query.before);
    const all = end < 0 ? this.log : this.log.slice(0, end);
    // Pages may be shorter than was asked for.
    const publications = all.slice(-Math.min(3, query.limit));
    return { publications, position: `p${this.log.length}`, more: publications.length < all.length };
  }

  async send(to: string, data: unknown, { idem }: { idem: string }): Promise<void> {
    this.sent.push({ to, data, idem });
    this.put(to, true, data);
  }

  async note(data: { peer: string; upTo: number }): Promise<void> {
    this.noted.push(data);
    this.put(me.id, true, data, readEvent);
  }
}

/** The post of the person, with an inbox that is empty at first. */
export class FakePost implements Post {
  readonly user = signal("");
  readonly box = new FakeInbox();
  readonly marks = new FakeMarks();
  inbox = () => this.box;
  inboxMarks = () => this.marks;
}

/** Somebody else than ada. */
export const eve = { ...ada, id: "eve", name: "Eve" };
