import type { EarshotError } from "./errors.js";
import type { ServerFrames } from "./frames.js";

/** Something that goes over a client's connection beside its subscriptions. */
export interface Part {
  /** The connection is open, perhaps anew. */
  opened(): void;
  /** The link is gone: nothing is under way. */
  down(): void;
  /** The client has ended. */
  close(error: EarshotError): void;
  /** Takes a call of the server; reports whether it will be answered. */
  called?(id: number, call: ServerFrames["call"]): boolean;
}

/** What a client has one of, made when it is first asked for. */
export function once<Owner extends object, T>(make: (owner: Owner) => T): (owner: Owner) => T {
  const made = new WeakMap<Owner, T>();
  return (owner) => {
    const it = made.get(owner) ?? make(owner);
    made.set(owner, it);
    return it;
  };
}
