import { signal } from "@preact/signals";
import { untilMidnight } from "../model/when";

/** A moment of the current day: it changes at midnight, so that "Today" becomes "Yesterday" on an open page. */
export const today = signal(Date.now());

/** Keeps today right. Returns what stops it. */
export function followMidnight(): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const turn = () => {
    today.value = Date.now();
    // An hour at most: a timer does not count the time that a laptop sleeps.
    timer = setTimeout(turn, Math.min(untilMidnight(Date.now()) + 1000, 3_600_000));
  };
  turn();
  return () => clearTimeout(timer);
}
