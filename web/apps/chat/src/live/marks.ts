import type { Client } from "@earshot/client";
import { unread } from "@earshot/client/unread";
import { signal } from "@preact/signals";
import type { ReadMarks } from "./reading";

/** The least time between two deliveries of how far people have read: nobody sees faster changes. */
const everyMS = 150;

/** Follows how far a user has read a channel. Where the server keeps no cursors, nothing counts as unread. */
export function followMarks(es: Client, channel: string, user: string): ReadMarks {
  const marks = unread(es, channel, user, { every: everyMS });
  const upTo = signal(marks.upTo);
  const count = signal(marks.count);
  const hasCursor = signal(marks.hasCursor);
  const look = () => {
    hasCursor.value = marks.hasCursor;
    upTo.value = marks.upTo;
    count.value = marks.count;
  };
  marks.on("change", look);
  return {
    upTo,
    count,
    hasCursor,
    advance(place) {
      marks.advance(place).then(look, () => {});
    },
    close: () => marks.close(),
  };
}
