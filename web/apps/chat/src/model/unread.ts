import type { Message } from "./message";

/** The newest message that the reader has seen in a room. */
export interface ReadMark {
  readonly time: number;
  readonly offset: number;
}

/** The mark of an empty room: all that comes is new. */
export const beforeAll: ReadMark = { time: 0, offset: 0 };

export function markOf(message: Message): ReadMark {
  return { time: message.time, offset: message.offset };
}

/**
 * Reports whether message came after mark. Time decides before offset, because offsets start again at 1 when a
 * room's log begins anew.
 */
export function isAfter(message: Message, mark: ReadMark): boolean {
  return message.time > mark.time || (message.time === mark.time && message.offset > mark.offset);
}

/** Returns the messages of others after mark. Without a mark everything counts as seen. */
export function unread(messages: readonly Message[], mark: ReadMark | undefined, me: string): Message[] {
  if (mark === undefined) return [];
  return messages.filter((message) => message.from.id !== me && isAfter(message, mark));
}

/** Writes a count that fits into a badge. */
export function badge(count: number): string {
  return count > 99 ? "99+" : String(count);
}
