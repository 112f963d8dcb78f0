/** The address of the HTTP transports beside a WebSocket's: `wss://host/live/websocket` is `https://host/live/http`. */
export function conversationURL(webSocketURL: string): { readonly path: string; readonly query: string } {
  const [address = "", query] = webSocketURL.split("?", 2);
  const path = address.replace(/^ws/i, "http").replace(/\/websocket$/, "/http");
  return { path, query: query ? `&${query}` : "" };
}
