/** Calls the listeners of named events. An event's type is the argument that its listeners get. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Calls `listener` for each event until the returned function is called. */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): () => void {
    // A wrapper, so that the same function given twice is two registrations with two ends.
    const own = (event: Events[K]) => listener(event);
    const set = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, set.add(own));
    return () => {
      set.delete(own);
      if (!set.size && this.#listeners.get(type) === set) this.#listeners.delete(type);
    };
  }

  emit<K extends keyof Events>(type: K, event: Events[K]): void {
    const set = this.#listeners.get(type);
    // One that was taken off by another on the way is not called any more.
    for (const listener of [...(set ?? [])]) {
      if (set?.has(listener)) call(listener as (event: Events[K]) => void, event);
    }
  }

  has(type: keyof Events): boolean {
    return this.#listeners.has(type);
  }

  clear(): void {
    this.#listeners.clear();
  }
}

/** Calls application code. What it throws is reported as an uncaught error and disturbs nothing here. */
export function call<E>(listener: (event: E) => void, event: E): void {
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
