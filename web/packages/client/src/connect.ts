import { Client } from "./client.js";
import type { Options } from "./options.js";

/**
 * Connects to the server at a base address such as `https://example.com`, or, if it is mounted elsewhere than at
 * `/live`, `https://example.com/mount`. The client comes back by itself until it is closed or the server refuses it.
 * Throws a TypeError for an address that is none, or where there is no WebSocket; never for the network.
 */
export function connect(address: string | URL, options: Options = {}): Client {
  return new Client(address, options);
}
