import { maxPageLimit, type ServerFrames } from "./frames.js";
import type { Delivery } from "./queue.js";

/** Reads a page of one channel's log. */
export type ReadPage = (query: {
  since?: string;
  before?: string;
  limit: number;
}) => Promise<ServerFrames["page"]>;

/** Where a read of the log ended: at a position and, where it is known, an offset. */
export interface End {
  readonly position: string;
  /** 0 if no publication was seen there. */
  readonly offset: number;
}

/** A stretch of a log that continues where its reader is. */
export interface Stretch {
  readonly page: ServerFrames["page"];
  readonly publications: ServerFrames["page"]["publications"];
  readonly end: End;
  /** It reaches what was newest when it was read. */
  readonly atTop: boolean;
}

/** Reads on after a position. */
export async function readSince(read: ReadPage, since: string, limit: number): Promise<Stretch> {
  const page = await read({ since, limit: Math.min(limit, maxPageLimit) });
  return { page, publications: page.publications, end: endOf(page, since), atTop: !page.more };
}

/**
 * Reads the `last` newest publications, or the oldest page of them. It goes back page by page and holds one at a time,
 * so that a large number costs time and not memory.
 */
export async function readLast(read: ReadPage, last: number, limit: number): Promise<Stretch> {
  const pageLimit = Math.min(limit, maxPageLimit);
  let page = await read({ limit: Math.min(Math.max(last, 1), pageLimit) });
  const top = endOf(page, page.position);
  let wanted = last;
  let atTop = true;
  while (page.more && page.publications[0] && wanted > page.publications.length) {
    const left = wanted - page.publications.length;
    const older = await read({ before: page.publications[0].position, limit: Math.min(left, pageLimit) });
    // Retention may drop what was about to be read; then the page in hand is where the log begins.
    if (!older.complete || !older.publications.length) break;
    wanted = left;
    page = older;
    atTop = false;
  }
  const publications = wanted ? page.publications.slice(-wanted) : [];
  return { page, publications, end: atTop ? top : endOf(page, page.position), atTop };
}

function endOf(page: ServerFrames["page"], otherwise: string): End {
  return page.publications.at(-1) ?? { position: otherwise, offset: 0 };
}

/** Whether the live stream, at `delivery`, is still at or before `end`, where a reader of the log is. */
export function covers(end: End, delivery: Delivery): boolean {
  if (delivery.kind !== "pub") return false;
  return delivery.body.position === end.position || (end.offset > 0 && delivery.body.offset <= end.offset);
}
