import { MsgpackSocket } from "./msgpack/socket.js";
import type { WebSocketConstructor } from "./socket.js";

/**
 * Something that can be used in place of a WebSocket, as the option `webSocket`: it speaks MessagePack. Frames are smaller,
 * and bytes need no base64. `webSocket` is the one to use where there is no global one. Throws a TypeError where there is
 * none at all.
 */
export function msgpackSocket(webSocket?: BinarySocketConstructor): WebSocketConstructor {
  const Underlying = webSocket ?? globalWebSocket();
  return class extends MsgpackSocket {
    constructor(url: string) {
      super(new Underlying(url, "earshot.v1.msgpack"));
    }
  };
}

function globalWebSocket(): BinarySocketConstructor {
  if (!globalThis.WebSocket) throw new TypeError("there is no global WebSocket here: pass one");
  return globalThis.WebSocket as unknown as BinarySocketConstructor;
}

/** The part of the WebSocket interface that this module uses. */
export interface BinarySocket {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export type BinarySocketConstructor = new (url: string, protocols: string) => BinarySocket;
