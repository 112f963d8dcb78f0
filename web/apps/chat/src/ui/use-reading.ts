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
    return effect(() => {
      const timeline = room.timeline.value;
      const watching = chat.attended.value && atEnd.value && isLive(timeline);
      if (room.phase.value.name !== "ready") return;
      if (!entered || !watching) {
        const first = unread(timeline.shown, chat.peekMark(room.name), chat.profile.person.peek().id)[0];
        if (first !== undefined) firstUnread.value = first.offset;
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
