/** How many long answers the tabs of an origin may hold open: a browser has six connections to a host over HTTP/1.1. */
const maxLong = 3;

/** A place among the long answers of all tabs. */
export interface Slot {
  release(): void;
}

/** Takes a place, or returns undefined if the other tabs have them all. Where there is no way to know, there is one. */
export async function takeSlot(url: string): Promise<Slot | undefined> {
  const locks = globalThis.navigator?.locks;
  if (!locks || multiplexed(url)) return { release: () => {} };
  const origin = new URL(url).origin;
  for (let i = 0; i < maxLong; i++) {
    const slot = await tryLock(locks, `earshot ${origin} ${i}`);
    if (slot) return slot;
  }
  return undefined;
}

function tryLock(locks: LockManager, name: string): Promise<Slot | undefined> {
  return new Promise((resolve) => {
    const holding = locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(undefined);
      return new Promise<void>((release) => resolve({ release }));
    });
    // A page that is being left may not lock any more.
    holding.catch(() => resolve(undefined));
  });
}

/** Whether the browser has one connection for any number of requests to this host, as over HTTP/2. */
function multiplexed(url: string): boolean {
  const entries = globalThis.performance?.getEntriesByName?.(url) ?? [];
  return entries.some((entry) => /^h[23]/.test((entry as PerformanceResourceTiming).nextHopProtocol ?? ""));
}
