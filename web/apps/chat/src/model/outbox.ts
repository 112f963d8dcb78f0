import type { Person } from "./person";

/** A message of this page that has not come back from the server yet. */
export interface Outgoing {
  readonly id: string;
  /** The author as it was then: a retry under the same idempotency id must say the same. */
  readonly from: Person;
  /** Of a direct message, for the same reason as it was then. */
  readonly to?: Person | undefined;
  readonly text: string;
  /** When it was written, milliseconds since 1970, by this page's clock. */
  readonly time: number;
  readonly state: "sending" | "sent" | "failed";
  /** Why it failed; empty otherwise. */
  readonly error: string;
}

/** The messages that one room has on the way, in the order they were written. Values are immutable. */
export type Outbox = readonly Outgoing[];

/** Messages that may wait in one room before writing more is refused. */
export const maxWaiting = 100;

/**
 * How long after it was written a message may be sent again by itself: the server knows its idempotency id for five
 * minutes, and would take it for a new message afterwards.
 */
const resendMS = 4 * 60_000;

/** Returns what is to be done about messages that were on the way when the page was closed. */
export function resumed(outbox: Outbox, now: number): Outbox {
  return outbox.map((out) =>
    now - out.time < resendMS
      ? { ...out, state: "sending", error: "" }
      : { ...out, state: "failed", error: "The page was closed before it was sent" },
  );
}

export function add(outbox: Outbox, out: Omit<Outgoing, "state" | "error">): Outbox {
  return [...outbox, { ...out, state: "sending", error: "" }];
}

/** The server committed it; it leaves once it is received like everyone's (arrived). */
export function sent(outbox: Outbox, id: string): Outbox {
  return change(outbox, id, { state: "sent", error: "" });
}

export function failed(outbox: Outbox, id: string, error: string): Outbox {
  return change(outbox, id, { state: "failed", error });
}

export function again(outbox: Outbox, id: string): Outbox {
  return change(outbox, id, { state: "sending", error: "" });
}

/** Takes out those whose ids were received or that the author discarded. */
export function arrived(outbox: Outbox, ids: ReadonlySet<string>): Outbox {
  return outbox.some(({ id }) => ids.has(id)) ? outbox.filter(({ id }) => !ids.has(id)) : outbox;
}

/**
 * Leaves out what the server has: to be called when the log was read anew, for what is in it was shown or is too old to
 * be on the page.
 */
export function unsent(outbox: Outbox): Outbox {
  return outbox.filter(({ state }) => state !== "sent");
}

function change(outbox: Outbox, id: string, to: Pick<Outgoing, "state" | "error">): Outbox {
  return outbox.map((out) => (out.id === id ? { ...out, ...to } : out));
}
