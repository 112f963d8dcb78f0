/**
 * The part of the WebSocket interface that the client uses: browsers have it, React Native, and `ws` in Node. Each types
 * its events in its own way, so handlers are declared to take anything.
 */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike;
