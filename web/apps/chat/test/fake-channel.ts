import type { HistoryPage, RoomChannel } from "../src/live/room";
import type { ChatData, Received } from "../src/model/message";
import { received } from "./make";

/** A channel in memory. Publishing waits until the test lets it go on. */
export class FakeChannel implements RoomChannel {
  readonly published: { data: ChatData; idem: string; settle: (error?: Error) => void }[] = [];
  readonly asked: string[] = [];
  since = "";
  onReset = async () => {};
  private readonly queue: Received[] = [];
  private wake = () => {};

  constructor(readonly log: Received[] = []) {}

  /** Commits a message of somebody, or what publish was given. */
  commit(data?: unknown): void {
    const publication = received(this.log.length + 1, data);
    this.log.push(publication);
    this.queue.push(publication);
    this.wake();
  }

  async *subscribe(options: {
    since: string;
    onReset: () => Promise<void>;
    signal: AbortSignal;
  }): AsyncGenerator<Received> {
    this.since = options.since;
    this.onReset = options.onReset;
    this.queue.splice(0, this.queue.length);
    while (!options.signal.aborted) {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) yield next;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        options.signal.addEventListener("abort", () => resolve());
      });
    }
  }

  publish(data: ChatData, { idem }: { idem: string }): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => (error === undefined ? resolve() : reject(error));
      this.published.push({ data, idem, settle });
    });
  }

  async history(query: { before?: string; since?: string; limit: number }): Promise<HistoryPage> {
    this.asked.push(query.before ?? query.since ?? "newest");
    const offset = (position: string) => Number(position.slice(1));
    const from = query.since === undefined ? 0 : offset(query.since);
    const to = query.before === undefined ? this.log.length : offset(query.before) - 1;
    const all = this.log.slice(from, to);
    const publications = query.since === undefined ? all.slice(-query.limit) : all.slice(0, query.limit);
    return { publications, position: `p${this.log.length}`, more: all.length > publications.length };
  }
}
