import { abortReason } from "./errors.js";

interface Waiter {
  holds(): boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** Those that wait for a condition. `check` is to be called whenever one may have come true. */
export class Waiting {
  readonly #waiters = new Set<Waiter>();

  /** Resolves once `holds`. Rejects with the signal's reason, or with the error of `fail`. */
  async until(holds: () => boolean, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw abortReason(signal);
    if (holds()) return;
    let waiter: Waiter | undefined;
    let aborted: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { holds, resolve, reject };
        aborted = () => reject(abortReason(signal as AbortSignal));
        this.#waiters.add(waiter);
        signal?.addEventListener("abort", aborted);
      });
    } finally {
      if (waiter) this.#waiters.delete(waiter);
      if (aborted) signal?.removeEventListener("abort", aborted);
    }
  }

  check(): void {
    for (const waiter of this.#waiters) if (waiter.holds()) waiter.resolve();
  }

  fail(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
