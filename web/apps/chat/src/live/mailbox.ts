import { computed, type ReadonlySignal, signal } from "@preact/signals";
import * as mail from "../model/mail";
import type { ChatData } from "../model/message";
import { ConversationChannel } from "./conversation";
import { explain } from "./explain";
import type { Reading, ReadMarks } from "./reading";
import type { Phase } from "./room";
import { until } from "./until";

/** What the mailbox needs of the person's inbox. */
export interface InboxLog {
  subscribe(options: {
    since: string;
    onReset: () => Promise<void>;
    signal: AbortSignal;
  }): AsyncIterable<mail.Arrived>;
  history(query: { before?: string; limit: number }): Promise<InboxPage>;
  /** Sends a message to a user. Resolves once both have it. */
  send(to: string, data: ChatData, options: { idem: string }): Promise<unknown>;
  /** Puts a note into the inbox itself. */
  note(data: { peer: string; upTo: number }, options: { idem: string }): Promise<unknown>;
}

interface InboxPage {
  readonly publications: readonly mail.Arrived[];
  readonly position: string;
  readonly more: boolean;
}

/** What the mailbox needs of the connection. */
export interface Post {
  /** The user that the server knows this page as; empty until it has said so. */
  readonly user: ReadonlySignal<string>;
  inbox(user: string): InboxLog;
  inboxMarks(user: string): ReadMarks;
}

/** The most that is kept of an inbox; the demo's server keeps 1,000. */
const maxMail = 2_000;
const pageSize = 500;

/** How long notes gather before they are made. Another device follows within that time. */
const notePauseMS = 400;

/** The person's inbox: all of it, since a conversation is spread over it. */
export class Mailbox {
  readonly mail = signal<readonly mail.Mail[]>([]);
  readonly phase = signal<Phase>({ name: "loading" });
  /** Goes up when the mail was read anew and does not join what was there. */
  readonly life = signal(0);
  private readonly marks = signal<ReadMarks | undefined>(undefined);
  private readonly made = signal<mail.Notes>(new Map());
  private readonly notes = computed(() => mail.notesOf(this.mail.value, this.made.value));
  private readonly cursor = computed(() =>
    this.phase.value.name === "ready" ? this.marks.value?.upTo.value : undefined,
  );
  /** How many letters are unread, by who wrote them. */
  readonly unread: ReadonlySignal<ReadonlyMap<string, number>> = computed(() =>
    this.cursor.value === undefined
      ? new Map()
      : mail.unreadByPeer(this.mail.value, this.cursor.value, this.notes.value),
  );
  private log: InboxLog | undefined;
  private noteTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly unsaid = new Map<string, number>();

  constructor(private readonly post: Post) {}

  /** Follows the inbox, once it is known whose it is, until the signal is aborted. */
  async run(abort: AbortSignal): Promise<void> {
    await until(() => this.post.user.value !== "", abort);
    const user = this.post.user.peek();
    if (abort.aborted || user === "") return;
    const log = this.post.inbox(user);
    this.log = log;
    this.marks.value = this.post.inboxMarks(user);
    abort.addEventListener("abort", () => this.marks.peek()?.close());
    while (!abort.aborted) await this.attempt(log, abort);
  }

  /** Resolves once the mail is known. Rejects if it cannot be had; asked again, it is tried again. */
  async ready(): Promise<void> {
    if (this.phase.peek().name === "failed") this.phase.value = { name: "loading" };
    await until(() => this.phase.value.name !== "loading");
    const phase = this.phase.peek();
    if (phase.name === "failed") throw phase.cause;
  }

  /** The conversation with a user, as a channel like that of a room. */
  conversation(peer: string): ConversationChannel {
    return new ConversationChannel(this, peer);
  }

  /** How far the conversation with a user was read. */
  reading(peer: string): Reading {
    return {
      upTo: computed(() =>
        this.cursor.value === undefined ? undefined : mail.readTo(this.cursor.value, this.notes.value, peer),
      ),
      count: computed(() => this.unread.value.get(peer) ?? 0),
      advance: ({ offset }) => this.readTo(peer, offset),
    };
  }

  /** Sends a message to a user. */
  async send(to: string, data: ChatData, options: { idem: string }): Promise<void> {
    await until(() => this.phase.value.name === "ready");
    await this.log?.send(to, data, options);
  }

  private async attempt(log: InboxLog, abort: AbortSignal): Promise<void> {
    try {
      await this.follow(log, abort);
    } catch (error) {
      if (abort.aborted) return;
      this.phase.value = { name: "failed", why: explain(error), cause: error };
      await until(() => this.phase.value.name !== "failed", abort);
    }
  }

  private async follow(log: InboxLog, abort: AbortSignal): Promise<void> {
    const since = await this.readAll(log);
    const onReset = async () => {
      await this.readAll(log);
      this.life.value++;
    };
    for await (const arrived of log.subscribe({ since, onReset, signal: abort }))
      this.mail.value = [...this.mail.peek(), mail.readMail(arrived)].slice(-maxMail);
  }

  /** Reads the whole inbox, and returns the position that this reaches. */
  private async readAll(log: InboxLog): Promise<string> {
    let page = await log.history({ limit: pageSize });
    const { position } = page;
    let all = page.publications;
    for (let first = all[0]; page.more && first && all.length < maxMail; [first] = page.publications) {
      page = await log.history({ before: first.position, limit: pageSize });
      all = [...page.publications, ...all];
    }
    this.made.value = new Map();
    this.mail.value = all.map(mail.readMail);
    this.phase.value = { name: "ready" };
    return position;
  }

  private readTo(peer: string, upTo: number): void {
    const cursor = this.cursor.peek();
    if (cursor === undefined) return;
    const next = mail.progress(this.mail.peek(), cursor, this.notes.peek(), { peer, upTo });
    if (next.cursor) this.marks.peek()?.advance(next.cursor);
    if (next.note === undefined) return;
    this.made.value = new Map(this.made.peek()).set(peer, next.note);
    this.unsaid.set(peer, next.note);
    this.noteTimer ??= setTimeout(() => this.sayNotes(), notePauseMS);
  }

  private sayNotes(): void {
    this.noteTimer = undefined;
    // A refusal leaves the letters unread on other devices only.
    for (const [peer, upTo] of this.unsaid)
      this.log?.note({ peer, upTo }, { idem: `read.${peer}.${upTo}` }).catch(() => {});
    this.unsaid.clear();
  }
}
