/** The most that is held back, whatever the time: timers of a hidden page fire once a second. */
const maxHeld = 500;

/**
 * Hands over what comes in: the first at once, and what follows it closely together, at most once in a while. So a
 * thousand messages in a burst cost the page a few renderings and not a thousand.
 */
export class Batch<T> {
  private held: T[] = [];
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly handOver: (items: readonly T[]) => void,
    private readonly pauseMS: number,
  ) {}

  add(item: T): void {
    this.held.push(item);
    if (this.pause === undefined || this.held.length >= maxHeld) this.flush();
  }

  /** Hands over what is held back now. */
  flush(): void {
    clearTimeout(this.pause);
    this.pause = undefined;
    if (this.held.length === 0) return;
    const items = this.held;
    this.held = [];
    this.pause = setTimeout(() => this.flush(), this.pauseMS);
    this.handOver(items);
  }
}
