import { lettersWith } from "../model/mail";
import type { ChatData, Received } from "../model/message";
import type { Mailbox } from "./mailbox";
import type { HistoryPage, RoomChannel } from "./room";
import { until } from "./until";

/**
 * The conversation with one user as a channel, so that it is shown as a room is: a view of the mailbox, which holds all of it.
 * Its messages have the offsets that they have in the inbox, with gaps between them.
 */
export class ConversationChannel implements RoomChannel {
  constructor(
    private readonly mailbox: Mailbox,
    private readonly peer: string,
  ) {}

  async history(query: { before?: string; since?: string; limit: number }): Promise<HistoryPage> {
    await this.mailbox.ready();
    const all = this.letters();
    const at = (position: string) => all.findIndex((letter) => letter.position === position);
    const from = query.since === undefined ? 0 : at(query.since) + 1;
    // A place that the mailbox holds no more has nothing before it.
    const to = query.before === undefined ? all.length : Math.max(0, at(query.before));
    const found = all.slice(from, to);
    const part = query.since === undefined ? found.slice(-query.limit) : found.slice(0, query.limit);
    return {
      publications: part.map(({ received }) => received),
      position: String(this.top()),
      more: found.length > part.length,
      cut: all.length > 0 && (this.mailbox.mail.peek()[0]?.offset ?? 1) > 1,
    };
  }

  async *subscribe(options: {
    since: string;
    onReset: () => Promise<void>;
    signal: AbortSignal;
  }): AsyncGenerator<Received> {
    const { mail, life } = this.mailbox;
    let [seen, lived] = [Number(options.since), life.peek()];
    while (!options.signal.aborted) {
      if (lived !== life.peek()) {
        [seen, lived] = [this.top(), life.peek()];
        await options.onReset();
      }
      // What comes while these are handed over is for the next round.
      const [letters, top] = [this.letters(), this.top()];
      for (const letter of letters) if (letter.offset > seen) yield letter.received;
      seen = top;
      await until(() => lived !== life.value || (mail.value.at(-1)?.offset ?? 0) > seen, options.signal);
    }
  }

  publish(data: ChatData, options: { idem: string }): Promise<void> {
    return this.mailbox.send(this.peer, data, options);
  }

  private letters() {
    return lettersWith(this.mailbox.mail.peek(), this.peer);
  }

  /** The offset of the newest mail. */
  private top(): number {
    return this.mailbox.mail.peek().at(-1)?.offset ?? 0;
  }
}
