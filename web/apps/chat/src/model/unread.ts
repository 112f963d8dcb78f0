import type { Message } from "./message";

/** Returns the messages of others after an offset. While that is not known, everything counts as seen. */
export function unread(messages: readonly Message[], upTo: number | undefined, me: string): Message[] {
  if (upTo === undefined) return [];
  return messages.filter((message) => message.from.id !== me && message.offset > upTo);
}

/** Writes a count that fits into a badge. */
export function badge(count: number): string {
  return count > 99 ? "99+" : String(count);
}
