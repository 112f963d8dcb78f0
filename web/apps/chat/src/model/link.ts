/** How the page is connected to the server, as its visitor should see it. */
export type Link =
  | { readonly name: "connecting" }
  | { readonly name: "open" }
  /** Trying again at a time, in milliseconds since 1970. */
  | { readonly name: "waiting"; readonly until: number }
  | { readonly name: "offline" }
  | { readonly name: "closed"; readonly why: string };

/** Names the state in a word or two. */
export function linkName(link: Link): string {
  switch (link.name) {
    case "connecting":
      return "Connecting…";
    case "open":
      return "Connected";
    case "waiting":
      return "Reconnecting…";
    case "offline":
      return "Offline";
    case "closed":
      return "Disconnected";
  }
}

/** Returns the whole seconds until a waiting page tries again, at least 1. */
export function secondsLeft(until: number, now: number): number {
  return Math.max(1, Math.ceil((until - now) / 1000));
}
