import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Room } from "../live/room";
import { isLive } from "../model/timeline";
import { unread } from "../model/unread";
import { useChat } from "./context";

/**
 * Notes how far an open room was read, and returns the offset of the message that the reader has not seen when they come
 * in, come back to the page, or come back to the end; zero for none.
 */
export function useReading(room: Room, atEnd: ReadonlySignal<boolean>): ReadonlySignal<number> {
  const chat = useChat();
  const firstUnread = useSignal(0);
  useEffect(() => {
    let entered = false;
    const { reading } = chat.follow(room.name);
    return effect(() => {
      const timeline = room.timeline.value;
      const upTo = reading.upTo.value;
      const watching = chat.attended.value && atEnd.value && isLive(timeline);
      if (room.phase.value.name !== "ready" || upTo === undefined) return;
      if (!entered || !watching) {
        const first = unread(timeline.shown, upTo, chat.profile.person.peek().id)[0];
        if (first !== undefined) firstUnread.value = first.offset;
        // Somebody who went away comes back to what is new since then, and not to an old line.
        else if (!chat.attended.peek()) firstUnread.value = 0;
      }
      entered = true;
      if (watching) chat.markRead(room.name);
    });
  }, [room]);
  useEffect(() => {
    let before = room.outbox.peek().length;
    return effect(() => {
      const now = room.outbox.value.length;
      if (now > before) firstUnread.value = 0;
      before = now;
    });
  }, [room]);
  return firstUnread;
}
