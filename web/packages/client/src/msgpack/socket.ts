import type { BinarySocket } from "../msgpack.js";
import type { WebSocketLike } from "../socket.js";
import { pack } from "./pack.js";
import { unpack } from "./unpack.js";

/** Frames are JSON text on this side of it, and MessagePack on the other. */
export class MsgpackSocket implements WebSocketLike {
  onopen: WebSocketLike["onopen"] = null;
  onmessage: WebSocketLike["onmessage"] = null;
  onerror: WebSocketLike["onerror"] = null;
  onclose: WebSocketLike["onclose"] = null;
  readonly #socket: BinarySocket;

  constructor(socket: BinarySocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = (event: unknown) => this.onopen?.(event as never);
    socket.onerror = (event: unknown) => this.onerror?.(event as never);
    socket.onclose = (event: unknown) => this.onclose?.(event as never);
    socket.onmessage = ({ data }: { data: unknown }) => this.onmessage?.({ data: textOf(data) } as never);
  }

  send(text: string): void {
    this.#socket.send(pack(text));
  }

  close(code?: number): void {
    this.#socket.close(code);
  }
}

/** The frame as text. What cannot be read is handed on as it is: it is no frame, and the client says so. */
function textOf(data: unknown): unknown {
  if (!(data instanceof ArrayBuffer)) return data;
  try {
    return unpack(new Uint8Array(data));
  } catch {
    return data;
  }
}
