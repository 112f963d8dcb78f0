import type { Message } from "./message";

/**
 * The part of a room that is on the page: a run of consecutive messages, and, when the reader has scrolled away from
 * the newest, the newest ones apart. Both are bounded, however long the room is. Values are immutable.
 */
export interface Timeline {
  /** What is shown, oldest first, at most maxShown. */
  readonly shown: readonly Message[];
  /** The newest messages while shown does not reach them, at most maxTail; else empty. */
  readonly tail: readonly Message[];
  /** Whether there may be messages before those shown. */
  readonly older: boolean;
  /** Whether shown begins where the server dropped what came before. */
  readonly cut: boolean;
}

/** The most messages on the page at once. */
export const maxShown = 500;
/** The most of the newest messages kept for the way back. */
export const maxTail = 100;

/** A room of which nothing is known yet. */
export const unknown: Timeline = { shown: [], tail: [], older: true, cut: false };

/** Reports whether shown reaches the newest message. */
export function isLive(t: Timeline): boolean {
  return t.tail.length === 0;
}

/** Returns the newest message that is known, shown or not. */
export function newest(t: Timeline): Message | undefined {
  return t.tail.at(-1) ?? t.shown.at(-1);
}

/** Joins runs by offset, each offset once. Of two with one offset the later argument's is kept. */
export function join(...runs: (readonly Message[])[]): Message[] {
  const byOffset = new Map<number, Message>();
  for (const run of runs) for (const message of run) byOffset.set(message.offset, message);
  return [...byOffset.values()].sort((a, b) => a.offset - b.offset);
}

/**
 * Adds messages that were just published. A reader who follows the end sees the oldest leave the page; for one who
 * reads elsewhere the page stays as it is once it is full, and the new ones wait in the tail.
 */
export function receive(t: Timeline, messages: readonly Message[], following: boolean): Timeline {
  if (!isLive(t)) return { ...t, tail: join(t.tail, messages).slice(-maxTail) };
  const shown = join(t.shown, messages);
  if (shown.length <= maxShown) return { ...t, shown };
  if (following) return { ...t, shown: shown.slice(-maxShown), older: true, cut: false };
  return { ...t, shown: shown.slice(0, maxShown), tail: shown.slice(-maxTail) };
}

/** How a page of history ends. */
export interface PageEnd {
  /** There is more in the direction of the read. */
  readonly more: boolean;
  /**
   * Of a conversation, whose messages have offsets with gaps between them: whether what was before it is no longer kept.
   * Left out of a room, where offsets tell.
   */
  readonly cut?: boolean | undefined;
}

/** Puts a page of history before what is shown. */
export function addOlder(t: Timeline, page: readonly Message[], { more, cut }: PageEnd): Timeline {
  const shown = join(page, t.shown);
  const first = shown[0];
  const start = { older: more, cut: cut ?? (!more && first !== undefined && first.offset > 1) };
  if (shown.length <= maxShown) return { ...t, ...start, shown };
  const tail = isLive(t) ? shown.slice(-maxTail) : t.tail;
  return { ...start, shown: shown.slice(0, maxShown), tail };
}

/** Puts a page of history after what is shown, and the tail as well once the two touch: then there is no more. */
export function addNewer(t: Timeline, page: readonly Message[], { more, cut }: PageEnd): Timeline {
  if (isLive(t)) return receive(t, page, false);
  const reached = join(t.shown, page);
  const isNext = (reached.at(-1)?.offset ?? 0) + 1 >= (t.tail[0]?.offset ?? 0);
  const touches = cut === undefined ? isNext : !more;
  const all = touches ? join(reached, t.tail) : reached;
  const dropped = all.length > maxShown;
  return {
    shown: all.slice(-maxShown),
    tail: touches ? [] : t.tail,
    older: t.older || dropped,
    cut: t.cut && !dropped,
  };
}

/** Goes back to the newest messages at once, with what is in the tail. */
export function toNewest(t: Timeline): Timeline {
  return isLive(t) ? t : { shown: t.tail, tail: [], older: true, cut: false };
}
