import type { Client } from "./client.js";
import type { EarshotError } from "./errors.js";
import { map } from "./map.js";

/** What `typing` takes. Every field may be left out. */
export interface TypingOptions {
  /** How long after the last sign somebody is still taken to be typing, in milliseconds: 6,000. */
  ttl?: number | undefined;
}

/** Says in a map that somebody is typing: under a key of their own, which vanishes by itself. */
export interface Typing<T> {
  /** To be called at each keystroke. It says so at once, and then again only before the key's time is over. */
  touch(data: T): void;
  /** The text was sent or given up: deletes the key. */
  stop(): void;
}

/** A typing indicator in the map `name`. Others see it as the key `key`. Errors are told by the client. */
export function typing<T = unknown>(
  es: Client,
  name: string,
  key: string,
  { ttl = 6_000 }: TypingOptions = {},
): Typing<T> {
  const keys = map<T>(es, name);
  const report = (error: EarshotError) => es.state.name === "closed" || es.report(error);
  let saidAt = 0;
  return {
    touch(data) {
      // What is typed without a connection is no news when there is one again.
      if (es.state.name !== "open" || Date.now() - saidAt < ttl / 2) return;
      saidAt = Date.now();
      keys.set(key, data, { ttl, own: true }).catch(report);
    },
    stop() {
      if (!saidAt) return;
      saidAt = 0;
      keys.delete(key).catch(report);
    },
  };
}
