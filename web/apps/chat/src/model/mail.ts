import type { Received } from "./message";

/** Something in a person's inbox. */
export type Mail = Letter | ReadNote | Other;

interface Place {
  readonly offset: number;
  readonly position: string;
}

/** A direct message. */
export interface Letter extends Place {
  readonly kind: "letter";
  /** The other one: who sent it, or to whom it went. */
  readonly peer: string;
  readonly mine: boolean;
  readonly received: Received;
}

/**
 * The person has read the conversation with peer up to an offset, while another had older letters that were not read: the
 * inbox's one cursor cannot say that.
 */
export interface ReadNote extends Place {
  readonly kind: "read";
  readonly peer: string;
  readonly upTo: number;
}

/** What this page does not understand, or nobody vouches for. */
export interface Other extends Place {
  readonly kind: "other";
}

/** The event name of a note in the log. */
export const readEvent = "read";

/** A publication of the inbox, with what the server says of who sent it. */
export interface Arrived extends Received {
  readonly event: string;
  readonly peer: string;
  readonly mine: boolean;
}

/** Makes mail of what came into the inbox. Only the person's own notes count. */
export function readMail(arrived: Arrived): Mail {
  const { offset, position, event, peer, mine, data } = arrived;
  if (event === readEvent) {
    const note = mine ? noteOf(data) : undefined;
    return note === undefined
      ? { kind: "other", offset, position }
      : { kind: "read", offset, position, ...note };
  }
  if (peer === "") return { kind: "other", offset, position };
  return { kind: "letter", offset, position, peer, mine, received: arrived };
}

function noteOf(data: unknown): { peer: string; upTo: number } | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { peer, upTo } = data as Record<string, unknown>;
  return typeof peer === "string" && typeof upTo === "number" ? { peer, upTo } : undefined;
}

/** Up to which offset each conversation was read beyond the cursor, by peer. */
export type Notes = ReadonlyMap<string, number>;

/** Returns the notes in the inbox, and those that this page has made and not heard of yet. */
export function notesOf(mail: readonly Mail[], made: Notes): Notes {
  const notes = new Map(made);
  for (const each of mail)
    if (each.kind === "read") notes.set(each.peer, Math.max(each.upTo, notes.get(each.peer) ?? 0));
  return notes;
}

/** Returns up to which offset the conversation with peer was read. */
export function readTo(cursor: number, notes: Notes, peer: string): number {
  return Math.max(cursor, notes.get(peer) ?? 0);
}

/** Counts the unread letters of each person who wrote some. */
export function unreadByPeer(mail: readonly Mail[], cursor: number, notes: Notes): Map<string, number> {
  const counts = new Map<string, number>();
  for (const each of mail)
    if (isUnread(each, cursor, notes)) counts.set(each.peer, (counts.get(each.peer) ?? 0) + 1);
  return counts;
}

function isUnread(mail: Mail, cursor: number, notes: Notes): mail is Letter {
  return mail.kind === "letter" && !mail.mine && mail.offset > readTo(cursor, notes, mail.peer);
}

/** What is to be said once a conversation was read. */
export interface Progress {
  /** Where the cursor goes: everything up to there has been read. */
  readonly cursor?: Place;
  /** Up to where the conversation was read, where the cursor cannot say it. */
  readonly note?: number;
}

/**
 * Says how to note that the conversation with peer was read up to an offset: by the cursor, which goes up to the first letter
 * that is unread, and by a note, if something of the conversation comes after that.
 */
export function progress(
  mail: readonly Mail[],
  cursor: number,
  notes: Notes,
  read: { peer: string; upTo: number },
): Progress {
  const before = readTo(cursor, notes, read.peer);
  const after = new Map(notes).set(read.peer, Math.max(read.upTo, before));
  const open = mail.findIndex((each) => isUnread(each, cursor, after));
  const last = open < 0 ? mail.at(-1) : mail[open - 1];
  const moves = last !== undefined && last.offset > cursor;
  const known = Math.max(before, moves ? last.offset : 0);
  const beyond = lettersWith(mail, read.peer).some(
    ({ mine, offset }) => !mine && offset > known && offset <= read.upTo,
  );
  return {
    ...(moves && { cursor: { offset: last.offset, position: last.position } }),
    ...(beyond && { note: read.upTo }),
  };
}

/** Returns the newest letter of each conversation, the newest conversation first. */
export function newestLetters(mail: readonly Mail[]): Letter[] {
  const newest = new Map<string, Letter>();
  for (const each of mail) if (each.kind === "letter") newest.set(each.peer, each);
  return [...newest.values()].sort((a, b) => b.offset - a.offset);
}

/** Returns the letters of one conversation. */
export function lettersWith(mail: readonly Mail[], peer: string): Letter[] {
  return mail.filter((each): each is Letter => each.kind === "letter" && each.peer === peer);
}
