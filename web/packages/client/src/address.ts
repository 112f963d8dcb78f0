// URL is not used: that of older React Native cannot be taken apart.
const form = /^(?:http|ws)(s?):\/\/([^/?#\s]+)(\/[^?#\s]*)?(\?[^#\s]*)?(?:#.*)?$/i;

/**
 * The WebSocket address below a server's base address. A path in it is where the server is mounted; without one that is
 * `/live`. Throws a TypeError if it is no http, https, ws or wss address.
 */
export function websocketURL(base: string): string {
  const parts = form.exec(base);
  if (!parts) throw new TypeError(`not a server's address: ${base}`);
  const [, secure, host, path = "", query = ""] = parts;
  return `ws${secure?.toLowerCase()}://${host}${path.replace(/\/+$/, "") || "/live"}/websocket${query}`;
}
