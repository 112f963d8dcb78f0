import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Room } from "../live/room";
import { isLive } from "../model/timeline";

/** Nearer to an end than this, in CSS pixels, the reader counts as being at it. */
const atEndPx = 48;
/** The next page is asked for when less than this is left to scroll. */
const aheadPx = 900;

/**
 * Holds the log still under its reader: at the end while they follow it, and otherwise on the message they look at,
 * whatever is added or taken away around it. (The browser's own scroll anchoring is missing in Safari.)
 */
export class LogScroll {
  private placed = false;
  private anchor: { key: string; top: number } | undefined;

  constructor(
    private readonly element: HTMLElement,
    private readonly room: Room,
    /** Told whether the newest message is in view. */
    private readonly atEnd: Signal<boolean>,
    /** Whether the reader looks at the page. */
    private readonly attended: ReadonlySignal<boolean>,
  ) {
    room.following = true;
  }

  /** To be called after every change of what is in the log or of its size. */
  settle(): void {
    if (!this.placed) this.place();
    else if (this.room.following) this.follow();
    else this.restore();
    this.look();
  }

  /** To be called when the reader scrolled. */
  scrolled(): void {
    this.look();
  }

  /** Goes to the newest message. */
  toEnd(): void {
    this.room.toNewest();
    this.element.scrollTop = this.element.scrollHeight;
  }

  /** Shows the reader where they stopped reading last time, or the end. */
  private place(): void {
    if (this.room.phase.peek().name !== "ready") return;
    this.placed = true;
    this.element.scrollTop = this.element.scrollHeight;
    this.backToLine();
  }

  /** Follows the end; for somebody who is away only until what is new fills the screen. */
  private follow(): void {
    this.element.scrollTop = this.element.scrollHeight;
    if (!this.attended.peek()) this.backToLine();
  }

  /** Shows the line above what is new, if it is out of sight. */
  private backToLine(): void {
    const line = this.element.querySelector(".unread-line");
    if (line === null) return;
    const above = line.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    if (above < 0) this.element.scrollTop += above - this.element.clientHeight / 4;
  }

  /** Notes where the reader is, and asks for history when an end of what is shown comes near. */
  private look(): void {
    if (!this.placed) return;
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    const below = scrollHeight - clientHeight - scrollTop;
    const timeline = this.room.timeline.peek();
    this.room.following = below < atEndPx && isLive(timeline);
    this.atEnd.value = this.room.following;
    this.remember();
    if (this.room.paging.peek() !== "idle") return;
    if (scrollTop < aheadPx && timeline.older) void this.room.loadOlder();
    else if (below < aheadPx && !isLive(timeline)) void this.room.loadNewer();
  }

  private remember(): void {
    const edge = this.element.getBoundingClientRect().top;
    const message = firstBelow(this.element.querySelectorAll<HTMLElement>("[data-key]"), edge);
    const key = message?.dataset.key;
    this.anchor =
      message && key !== undefined ? { key, top: message.getBoundingClientRect().top - edge } : undefined;
  }

  private restore(): void {
    if (this.anchor === undefined) return;
    const message = this.element.querySelector(`[data-key="${CSS.escape(this.anchor.key)}"]`);
    if (message === null) return;
    const top = message.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    if (top !== this.anchor.top) this.element.scrollTop += top - this.anchor.top;
  }
}

/** Finds the first of elements that stand below each other which reaches below an edge. */
function firstBelow(elements: NodeListOf<HTMLElement>, edge: number): HTMLElement | undefined {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((elements[middle]?.getBoundingClientRect().bottom ?? 0) > edge) high = middle;
    else low = middle + 1;
  }
  return elements[low];
}
