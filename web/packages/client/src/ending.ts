import { isTemporary } from "./errors.js";

/** What to do after a connection ended: stay away, come back at once, or come back after a delay. */
export type Fate = "stop" | "now" | "later";

/** Whether the server refused who the client is: a fresh token may help. */
export const isRefusedToken = (code: number) => code === 4001 || (code >= 200 && code < 300);

/** The session goes on over another connection: naming it again would only take it back from there. */
export const closeMoved = 4201;

// RFC 6455 section 7.4.1: protocol error, unacceptable data, invalid payload, message too big.
const brokeProtocol: readonly number[] = [1002, 1003, 1007, 1009];

/** The fate that a close code or the code of a refused hello asks for. */
export function fateOf(code: number): Fate {
  if (brokeProtocol.includes(code) || (code >= 4000 && code < 4100)) return "stop";
  if (code >= 4200 && code < 4300) return "now";
  return code >= 100 && code < 1000 && !isTemporary(code) ? "stop" : "later";
}
