/**
 * Reads a kept value. What is missing, unreadable or not accepted by check gives undefined: another version of this
 * page, or its visitor, may have written anything.
 */
export function load<T>(
  store: Storage,
  key: string,
  check: (value: unknown) => T | undefined,
): T | undefined {
  try {
    const text = store.getItem(prefix + key);
    return text === null ? undefined : check(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Keeps a value. A browser that keeps nothing (private, full, forbidden) loses it and the page works on. */
export function save(store: Storage, key: string, value: unknown): void {
  try {
    store.setItem(prefix + key, JSON.stringify(value));
  } catch {
    return;
  }
}

/** Forgets everything that this page keeps there. */
export function clear(store: Storage): void {
  try {
    for (const key of Object.keys(store)) if (key.startsWith(prefix)) store.removeItem(key);
  } catch {
    return;
  }
}

const prefix = "earshot.chat.";
