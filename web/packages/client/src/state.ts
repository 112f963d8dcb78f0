import type { EarshotError } from "./errors.js";

/**
 * What the connection is doing. `connecting`: attempt number `attempt` since it was last open for a while is under way.
 * `waiting`: the next attempt is at `until` (milliseconds since 1970), and `error` says what ended the last. `closing`:
 * `close` was called and publishes under way are awaited. `closed`: for good; `code` is 1 if the application closed it,
 * else that of the server.
 */
export type State =
  | { readonly name: "connecting"; readonly attempt: number }
  | { readonly name: "open"; readonly session: string; readonly user: string; readonly resumed: boolean }
  | {
      readonly name: "waiting";
      readonly attempt: number;
      readonly until: number;
      readonly error: EarshotError;
    }
  | { readonly name: "closing" }
  | { readonly name: "closed"; readonly code: number; readonly reason: string; readonly retry: false };
