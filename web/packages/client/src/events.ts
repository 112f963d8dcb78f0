/** One message in a channel. */
export interface Publication<T = unknown> {
  readonly channel: string;
  /** What was published: any JSON value, or a `Uint8Array` where it was published as bytes. */
  readonly data: T;
  /** `message` if the publisher named none. */
  readonly event: string;
  /** Consecutive from 1 within one life of the channel's log. */
  readonly offset: number;
  /** Opaque. Name it as `since` or `before`. */
  readonly position: string;
  /** When it was committed, in milliseconds since 1970. */
  readonly time: number;
  /** Who published it; empty for an anonymous client. */
  readonly user: string;
  readonly tags: Readonly<Record<string, string>>;
  /** In a map: the key. Its version is the offset. */
  readonly key?: string;
  /** In a map: the key was deleted. */
  readonly gone?: boolean;
}

/**
 * Why a stream was reset. `evicted`: retention dropped what was not read. `epoch`: the log began anew. `unknown`: the
 * position was never one of this channel. `unread`: a slow consumer's publications were dropped and cannot be read again.
 */
export type ResetReason = "evicted" | "epoch" | "unknown" | "unread";

/** What came before and what comes after `position` do not join. */
export interface ResetEvent {
  readonly channel: string;
  readonly position: string;
  readonly why: ResetReason;
}

/** In a channel that keeps nothing, `count` publications went by unread. */
export interface MissedEvent {
  readonly channel: string;
  readonly count: number;
  readonly position: string;
}

/** The answer to a publish, once it is committed. */
export interface Receipt {
  /** Empty in a channel that keeps nothing and that nobody listens to. */
  readonly position: string;
  readonly offset: number;
  /** It was committed before, by an earlier attempt with the same idempotency id. */
  readonly duplicate: boolean;
  /** What the commit survives: `fsync`, `may-lose-tail` or `none`. */
  readonly durability: string;
}

/** A page of a channel's log, oldest first. */
export interface Page<T = unknown> {
  readonly publications: readonly Publication<T>[];
  /** The channel's newest position. */
  readonly position: string;
  /** Nothing is missing between the position that was named and the page. */
  readonly complete: boolean;
  /** There is more in the direction of the read. */
  readonly more: boolean;
  /** Of a map: how many keys it has. */
  readonly keys?: number;
}
