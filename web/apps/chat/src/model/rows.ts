import type { Message } from "./message";
import type { Person } from "./person";

/** A message on the page: committed, or on its way (then time is when it was written). */
export interface Shown {
  /** Unique on the page, and the same before and after an own message is committed. */
  readonly key: string;
  readonly time: number;
  readonly text: string;
  readonly state: "sending" | "sent" | "failed" | "committed";
  /** Why sending failed; empty otherwise. */
  readonly error: string;
}

/** What stands below each other in the log. */
export type Row =
  | { readonly kind: "day"; readonly key: string; readonly time: number }
  | { readonly kind: "unread"; readonly key: string }
  | {
      readonly kind: "group";
      readonly key: string;
      readonly from: Person;
      readonly mine: boolean;
      readonly messages: readonly Shown[];
    };

/** A message with its author, as rows takes it. */
export interface Entry extends Shown {
  readonly from: Person;
}

/** Messages of one author stand together unless this much time is between two of them. */
export const groupGapMS = 5 * 60_000;

/** Makes entries of committed messages. Own ones keep the key they had while they were on their way. */
export function entries(messages: readonly Message[], me: string): Entry[] {
  const used = new Set<string>();
  return messages.map((message) => {
    const own = message.from.id === me && message.id !== "" && !used.has(message.id);
    const key = own ? message.id : `#${message.offset}`;
    used.add(key);
    return { key, time: message.time, text: message.text, from: message.from, state: "committed", error: "" };
  });
}

/**
 * Groups entries by author, with a row before each new day and one before the entry with the key firstUnread. Days are
 * those of the reader's time zone.
 */
export function rows(all: readonly Entry[], me: string, firstUnread: string | undefined): Row[] {
  const out: Row[] = [];
  let group: Shown[] = [];
  let before: Entry | undefined;
  for (const entry of all) {
    const day = dayOf(entry.time);
    const newDay = before === undefined || dayOf(before.time) !== day;
    if (newDay) out.push({ kind: "day", key: `day:${day}:${entry.key}`, time: entry.time });
    const unread = entry.key === firstUnread;
    if (unread) out.push({ kind: "unread", key: "unread" });
    if (newDay || unread || before === undefined || !together(before, entry)) {
      group = [];
      out.push({
        kind: "group",
        key: `by:${entry.key}`,
        from: entry.from,
        mine: entry.from.id === me,
        messages: group,
      });
    }
    group.push(entry);
    before = entry;
  }
  return out;
}

function together(a: Entry, b: Entry): boolean {
  return (
    a.from.id === b.from.id &&
    a.from.name === b.from.name &&
    a.from.hue === b.from.hue &&
    b.time - a.time < groupGapMS
  );
}

function dayOf(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}
