const sentences: Readonly<Record<string, string>> = {
  bad_frame: "This page and the server are of different versions: load it again",
  bad_channel: "There is no such room",
  forbidden: "This server does not allow it",
  too_large: "It is too long",
  no_history: "This room keeps nothing",
  rejected: "The server refused it",
  disk_full: "The server has no room left",
  unavailable: "The server cannot keep it now",
  timeout: "The server did not answer",
  draining: "The server is about to stop",
  queue_full: "Too many messages are waiting already",
  outcome_unknown: "The server did not answer in time, and may have it",
  closed: "The connection was closed",
};

/** Says in a few words why something failed, for the person at the page. */
export function explain(error: unknown): string {
  const name = typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";
  return sentences[name] ?? "Something went wrong";
}
