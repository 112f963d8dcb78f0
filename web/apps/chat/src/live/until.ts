import { effect } from "@preact/signals";

/** Resolves once a condition on signals holds, or when waiting is given up. */
export function until(holds: () => boolean, abort?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let stop = () => {};
    const finish = () => {
      stop();
      abort?.removeEventListener("abort", finish);
      resolve();
    };
    abort?.addEventListener("abort", finish);
    stop = effect(() => {
      // Not at once: the effect cannot be stopped before it has run for the first time.
      if (holds() || abort?.aborted) queueMicrotask(finish);
    });
  });
}
