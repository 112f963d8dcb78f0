const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });
const yearFormat = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const shortFormat = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** Returns the time of day as the reader's country writes it. */
export function clock(time: number): string {
  return clockFormat.format(time);
}

/** Returns date and time in full. */
export function full(time: number): string {
  return fullFormat.format(time);
}

/** Names a day as seen from now. */
export function day(time: number, now: number): string {
  const ago = daysBetween(time, now);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return ago > 0 && ago < 180 ? dayFormat.format(time) : yearFormat.format(time);
}

/** Returns the time of day for today, and the date for any other day. */
export function brief(time: number, now: number): string {
  return daysBetween(time, now) === 0 ? clock(time) : shortFormat.format(time);
}

/** Returns the milliseconds from now to the reader's next midnight. */
export function untilMidnight(now: number): number {
  return new Date(now).setHours(24, 0, 0, 0) - now;
}

function daysBetween(from: number, to: number): number {
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((midnight(to) - midnight(from)) / 86_400_000);
}
