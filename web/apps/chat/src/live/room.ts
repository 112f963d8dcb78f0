import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type ChatData, type Message, type Received, readMessage } from "../model/message";
import * as outbox from "../model/outbox";
import type { Person } from "../model/person";
import * as timeline from "../model/timeline";
import { Batch } from "./batch";
import { explain } from "./explain";
import { randomID } from "./random";

/** What a room needs of its channel. */
export interface RoomChannel {
  subscribe(options: {
    since: string;
    onReset: () => Promise<void>;
    signal: AbortSignal;
  }): AsyncIterable<Received>;
  publish(data: ChatData, options: { idem: string }): Promise<unknown>;
  history(query: { before?: string; since?: string; limit: number }): Promise<HistoryPage>;
}

/** A page of history, oldest first. */
export interface HistoryPage {
  readonly publications: readonly Received[];
  /** The room's newest position when the page was read. */
  readonly position: string;
  readonly more: boolean;
  /** As of `timeline.PageEnd`. */
  readonly cut?: boolean;
}

/** What a room is doing about history: at most one thing at a time. */
export type Paging = "idle" | "older" | "newer" | "failed";

/** Whether the room's newest messages are known. */
export type Phase =
  | { readonly name: "loading" }
  | { readonly name: "ready" }
  | { readonly name: "failed"; readonly why: string; readonly cause: unknown };

/** Messages that one request asks for. */
export const pageSize = 50;

/** The least time between two changes of the page because of what others write. */
const arrivalPauseMS = 40;

/** One room: what is shown of its log, and what this page has on the way to it. */
export class Room {
  readonly timeline = signal(timeline.unknown);
  readonly outbox: Signal<outbox.Outbox>;
  readonly phase = signal<Phase>({ name: "loading" });
  readonly paging = signal<Paging>("idle");
  /** Whether the reader follows the end of the log. Set by the page. */
  following = true;
  private readonly arrivals = new Batch<Message>(
    (messages) => this.take(messages, (t) => timeline.receive(t, messages, this.following)),
    arrivalPauseMS,
  );
  private again = () => {};

  constructor(
    readonly name: string,
    private readonly channel: RoomChannel,
    private readonly me: ReadonlySignal<Person>,
    /** What was on the way when the page was last open. */
    kept: outbox.Outbox = [],
    /** With whom it is a conversation, if it is one. */
    private readonly peer?: ReadonlySignal<Person>,
  ) {
    this.outbox = signal(outbox.resumed(kept, Date.now()));
  }

  /** Follows the room until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (const out of this.outbox.peek()) if (out.state === "sending") void this.publish(out);
    while (!signal.aborted) {
      try {
        await this.follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.phase.value = { name: "failed", why: explain(error), cause: error };
        await this.askedAgain(signal);
      }
    }
  }

  /** Opens a room again that failed. */
  tryAgain(): void {
    this.again();
  }

  /** Sends a message; it is in the outbox at once. Returns false when too many are waiting already. */
  send(text: string): boolean {
    if (this.outbox.peek().length >= outbox.maxWaiting) return false;
    const to = this.peer?.peek();
    const out = { id: randomID(), from: this.me.peek(), ...(to && { to }), text, time: Date.now() };
    this.outbox.value = outbox.add(this.outbox.peek(), out);
    this.toNewest();
    void this.publish(out);
    return true;
  }

  /** Sends a message again that failed, under the same idempotency id: it cannot be said twice. */
  retry(id: string): void {
    const out = this.outbox.peek().find((candidate) => candidate.id === id);
    if (out?.state !== "failed") return;
    this.outbox.value = outbox.again(this.outbox.peek(), id);
    void this.publish(out);
  }

  /** Forgets a message that failed. */
  discard(id: string): void {
    this.outbox.value = outbox.arrived(this.outbox.peek(), new Set([id]));
  }

  async loadOlder(): Promise<void> {
    const { shown, older } = this.timeline.peek();
    const before = shown[0]?.position;
    if (!older || before === undefined) return;
    await this.page("older", { before }, timeline.addOlder);
  }

  async loadNewer(): Promise<void> {
    const since = this.timeline.peek().shown.at(-1)?.position;
    if (timeline.isLive(this.timeline.peek()) || since === undefined) return;
    await this.page("newer", { since }, timeline.addNewer);
  }

  /** Shows the newest messages, wherever the reader was. */
  toNewest(): void {
    this.following = true;
    this.timeline.value = timeline.toNewest(this.timeline.peek());
  }

  private async publish(out: Pick<outbox.Outgoing, "id" | "from" | "to" | "text">): Promise<void> {
    const { id, from, to, text } = out;
    try {
      await this.channel.publish({ id, from, ...(to && { to }), text }, { idem: id });
      this.outbox.value = outbox.sent(this.outbox.peek(), id);
    } catch (error) {
      this.outbox.value = outbox.failed(this.outbox.peek(), id, explain(error));
    }
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const since = await this.readNewest();
    const onReset = async () => void (await this.readNewest());
    for await (const received of this.channel.subscribe({ since, onReset, signal })) {
      this.arrivals.add(readMessage(received));
    }
  }

  /** Begins with the newest page, and returns the position that it reaches. What was shown may not join it. */
  private async readNewest(): Promise<string> {
    this.arrivals.flush();
    this.timeline.value = timeline.unknown;
    this.following = true;
    this.phase.value = { name: "loading" };
    const page = await this.channel.history({ limit: pageSize });
    const messages = page.publications.map(readMessage);
    this.take(messages, (t) => timeline.addOlder(t, messages, page));
    this.outbox.value = outbox.unsent(this.outbox.peek());
    this.phase.value = { name: "ready" };
    return page.position;
  }

  private askedAgain(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.again = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  private async page(
    direction: "older" | "newer",
    query: { before: string } | { since: string },
    add: (t: timeline.Timeline, messages: Message[], end: timeline.PageEnd) => timeline.Timeline,
  ): Promise<void> {
    if (this.paging.peek() === "older" || this.paging.peek() === "newer") return;
    this.paging.value = direction;
    const asked = this.timeline.peek();
    try {
      const page = await this.channel.history({ ...query, limit: pageSize });
      const messages = page.publications.map(readMessage);
      if (stillJoins(asked, this.timeline.peek())) this.take(messages, (t) => add(t, messages, page));
      this.paging.value = "idle";
    } catch {
      this.paging.value = "failed";
    }
  }

  /** Changes the timeline because of messages, and takes those out of the outbox. */
  private take(messages: readonly Message[], change: (t: timeline.Timeline) => timeline.Timeline): void {
    this.timeline.value = change(this.timeline.peek());
    const own = messages.filter((message) => message.from.id === this.me.peek().id);
    this.outbox.value = outbox.arrived(this.outbox.peek(), new Set(own.map(({ id }) => id)));
  }
}

/** Reports whether a page that was asked for at one end still belongs there, and the reader did not jump meanwhile. */
function stillJoins(asked: timeline.Timeline, now: timeline.Timeline): boolean {
  return now.shown.some((message) => message === asked.shown[0] || message === asked.shown.at(-1));
}
