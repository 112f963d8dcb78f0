import { Memory } from "./fallback/memory.js";
import { FallbackSocket } from "./fallback/socket.js";
import { httpSocket } from "./http.js";
import type { WebSocketConstructor } from "./socket.js";

/** What `withFallback` takes. Every field may be left out. Times are in milliseconds. */
export interface FallbackOptions {
  /** The WebSocket to try first where there is no global one. */
  webSocket?: WebSocketConstructor;
  /** What to use where it is blocked: `httpSocket()`. */
  otherwise?: WebSocketConstructor;
  /** How long a WebSocket may take until the first frame came over it: 5,000. */
  patience?: number;
  /** How long an origin is remembered where WebSocket is blocked: an hour. */
  remember?: number;
  /** How often to see whether WebSocket works again: after half a minute first, then ever later, up to every ten minutes. */
  probe?: number;
}

/**
 * Something that can be used as the option `webSocket`: a WebSocket where it works, and HTTP where it is blocked.
 * It is remembered for each origin which way that was, and the client moves to a WebSocket when it can.
 */
export function withFallback(options: FallbackOptions = {}): WebSocketConstructor {
  const webSocket = options.webSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
  const otherwise = options.otherwise ?? httpSocket();
  const settings = {
    webSocket: webSocket ?? otherwise,
    otherwise,
    patienceMs: options.patience ?? 5_000,
    probeMs: options.probe ?? 600_000,
    memory: new Memory(options.remember ?? 3_600_000),
  };
  return class extends FallbackSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, settings);
    }
  };
}
