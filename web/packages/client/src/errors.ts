import type { ResetEvent } from "./events.js";

/**
 * Codes of errors that the client itself makes; they never travel. Codes from 100 are the server's, listed in the
 * protocol page: 100s say that the request is wrong, 200s that a new token is needed, 300s that it may work later, and
 * from 4000 they are the close code that ended the connection for good.
 */
export const ClientCode = {
  /** The client was closed, or is closing. */
  closed: 1,
  /** The queue of requests that wait for an answer is full, in number or in bytes. */
  queueFull: 2,
  /** A publish was sent and its answer never came within the time in which a retry is harmless. It may be committed. */
  outcomeUnknown: 3,
  /** The stream was reset and nobody was there to be told. */
  reset: 4,
  /** The call does not fit what was called before. */
  badUse: 5,
  /** There is no connection to the server. */
  disconnected: 6,
  /** The token callback failed. */
  tokenFailed: 7,
  /** A signal aborted the request, where signals carry no reason of their own. */
  aborted: 8,
} as const;

/** The code of a client frame that is over its limit, the same as the server's. */
export const codeTooLarge = 104;
/** The code of a change to a key that has another version than was asked for. */
export const codeVersionMismatch = 112;
/** The codes of a call that failed on the other side, and of one whose answer did not come in time. */
export const codeInternal = 300;
export const codeTimeout = 303;
/** The code of a history request to a channel that keeps nothing. */
export const codeNoHistory = 109;

const clientNames: Record<number, string> = {
  [ClientCode.closed]: "closed",
  [ClientCode.queueFull]: "queue_full",
  [ClientCode.outcomeUnknown]: "outcome_unknown",
  [ClientCode.reset]: "reset",
  [ClientCode.badUse]: "bad_use",
  [ClientCode.disconnected]: "disconnected",
  [ClientCode.tokenFailed]: "token_failed",
  [ClientCode.aborted]: "aborted",
  [codeTooLarge]: "too_large",
};

/** What a request, a subscription or a connection failed with. `name` is the stable name of `code`. */
export class EarshotError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, name?: string) {
    super(reason);
    this.code = code;
    this.reason = reason;
    this.name = name || clientNames[code] || `code_${code}`;
  }
}

/** What an iterator throws after a reset when no `onReset` is given: what was yielded and what would follow do not join. */
export class ResetError extends EarshotError {
  readonly event: ResetEvent;

  constructor(event: ResetEvent) {
    super(ClientCode.reset, `the stream was reset: ${event.why}`);
    this.event = event;
  }
}

/** Whether a new token may help. */
export const needsToken = (code: number) => code >= 200 && code < 300;
/** Whether the same request may succeed later. */
export const isTemporary = (code: number) => code >= 300 && code < 400;

/** What a request that `signal` aborted rejects with: the signal's own reason, which React Native's has not. */
export const abortReason = (signal: AbortSignal): unknown =>
  signal.reason ?? new EarshotError(ClientCode.aborted, "the request was aborted");
