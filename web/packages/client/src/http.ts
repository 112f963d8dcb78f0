import { conversationURL } from "./http/address.js";
import type { Mode } from "./http/down.js";
import { HTTPSocket } from "./http/socket.js";
import type { WebSocketConstructor } from "./socket.js";

export type { Mode } from "./http/down.js";

/**
 * Something that can be used in place of a WebSocket, as the option `webSocket`, where there is no way but plain HTTP.
 * `mode` says how frames come down: in a `stream`, which is best, and becomes a `poll` by itself where somebody on the
 * way holds it back. Tabs of one origin that are too many for the browser's connections ask at intervals.
 */
export function httpSocket(mode: Mode = "stream"): WebSocketConstructor {
  return class extends HTTPSocket {
    constructor(url: string) {
      super(conversationURL(url), mode);
    }
  };
}
