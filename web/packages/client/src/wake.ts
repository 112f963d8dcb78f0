const signs = ["online", "pageshow", "visibilitychange"] as const;

/**
 * Calls `woke` when the page may have slept or been offline: the network is back, the page is shown again, or it comes
 * from the back/forward cache. Where there are no such events (Node, React Native) nothing happens.
 */
export function onWake(woke: () => void): () => void {
  const { addEventListener, removeEventListener } = globalThis;
  if (typeof addEventListener !== "function" || typeof removeEventListener !== "function") return () => {};
  const heard = () => {
    if (globalThis.document?.visibilityState !== "hidden") woke();
  };
  for (const sign of signs) addEventListener.call(globalThis, sign, heard);
  return () => {
    for (const sign of signs) removeEventListener.call(globalThis, sign, heard);
  };
}
