import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { Message } from "../model/message";
import { newest } from "../model/timeline";
import type { Room } from "./room";
import { until } from "./until";

/** How far the person has read a room or a conversation, on whichever device. */
export interface Reading {
  /** The offset up to which it was read; undefined until that is known. */
  readonly upTo: ReadonlySignal<number | undefined>;
  /** How many messages of others are unread; 0 until that is known. */
  readonly count: ReadonlySignal<number>;
  /** Notes that a message and all before it were seen. */
  advance(message: Pick<Message, "offset" | "position">): void;
}

/** How far a user has read a log, as the server keeps it for all of their devices. */
export interface ReadMarks extends Reading {
  /** Whether the user has ever read something of it. */
  readonly hasCursor: ReadonlySignal<boolean>;
  close(): void;
}

/** Reading a room. */
export class RoomReading implements Reading {
  private readonly marks = signal<ReadMarks | undefined>(undefined);
  readonly upTo = computed(() => (this.isSettled() ? this.marks.value?.upTo.value : undefined));
  readonly count = computed(() => (this.isSettled() ? (this.marks.value?.count.value ?? 0) : 0));

  constructor(
    private readonly room: Pick<Room, "phase" | "timeline">,
    /** Whether what the room holds now is not to count as unread: the person has never been here. */
    private readonly startsHere: boolean,
  ) {}

  /** Follows the marks that `open` gives for the user, once it is known who that is. */
  async run(
    user: ReadonlySignal<string>,
    open: (user: string) => ReadMarks,
    abort: AbortSignal,
  ): Promise<void> {
    await until(() => user.value !== "", abort);
    if (abort.aborted) return;
    const marks = open(user.peek());
    this.marks.value = marks;
    const forget = effect(() => this.settle());
    abort.addEventListener("abort", () => {
      forget();
      marks.close();
    });
  }

  advance(message: Pick<Message, "offset" | "position">): void {
    this.marks.peek()?.advance(message);
  }

  /** Whether what is unread can be told from what was there before the person's first visit. */
  private isSettled(): boolean {
    if (!this.startsHere || this.marks.value?.hasCursor.value) return true;
    return this.room.phase.value.name === "ready";
  }

  /**
   * Starts the count at what the room holds now. If that is nothing, everything counts that comes: the server keeps no cursor
   * of an empty log, and needs none.
   */
  private settle(): void {
    const marks = this.marks.value;
    if (!this.startsHere || marks === undefined || this.room.phase.value.name !== "ready") return;
    if (marks.upTo.value !== 0 || marks.hasCursor.value) return;
    untracked(() => {
      const last = newest(this.room.timeline.peek());
      if (last !== undefined) marks.advance(last);
    });
  }
}
