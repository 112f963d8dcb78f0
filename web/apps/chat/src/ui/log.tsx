import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Room } from "../live/room";
import { type Entry, entries, type Row, rows } from "../model/rows";
import { badge } from "../model/unread";
import { day } from "../model/when";
import { useChat } from "./context";
import { DownIcon } from "./icons";
import { LogEnd, LogStart } from "./log-ends";
import { LogScroll } from "./log-scroll";
import { MessageGroup } from "./message-group";
import { today } from "./today";
import { useReading } from "./use-reading";

/** What was said in a room. To be keyed by the room. */
export function Log({ room }: { room: Room }) {
  const chat = useChat();
  const { peer } = chat;
  const element = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const scroll = useRef<LogScroll | undefined>(undefined);
  const atEnd = useSignal(true);
  const firstUnread = useReading(room, atEnd);
  const shown = useRows(room, firstUnread.value);

  useLayoutEffect(() => {
    if (element.current === null || content.current === null) return;
    const log = new LogScroll(element.current, room, atEnd, chat.attended);
    scroll.current = log;
    const observer = new ResizeObserver(() => log.settle());
    observer.observe(element.current);
    observer.observe(content.current);
    return () => observer.disconnect();
  }, [room]);
  useLayoutEffect(() => scroll.current?.settle());

  const busy =
    room.phase.value.name === "loading" || room.paging.value === "older" || room.paging.value === "newer";
  return (
    <div class="log-place">
      <div
        class="log"
        ref={element}
        role="log"
        aria-label={peer === undefined ? `Messages in ${room.name}` : `Messages with ${peer.name}`}
        aria-busy={busy}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus
        tabIndex={0}
        onScroll={() => scroll.current?.scrolled()}
        onKeyDown={(event) => event.key === "End" && scroll.current?.toEnd()}
      >
        <div class="log-content" ref={content}>
          <LogStart room={room} />
          {shown.map((row) => (
            <LogRow key={row.key} row={row} room={room} />
          ))}
          <LogEnd room={room} />
        </div>
      </div>
      {!atEnd.value && <ToEnd room={room} onClick={() => scroll.current?.toEnd()} />}
    </div>
  );
}

function useRows(room: Room, firstUnread: number): Row[] {
  const me = useChat().profile.person.value.id;
  const timeline = room.timeline.value;
  const outbox = room.outbox.value;
  return useMemo(() => {
    const waiting: Entry[] = timeline.tail.length > 0 ? [] : outbox.map((out) => ({ ...out, key: out.id }));
    return rows(
      [...entries(timeline.shown, me), ...waiting],
      me,
      firstUnread === 0 ? undefined : `#${firstUnread}`,
    );
  }, [timeline, outbox, firstUnread, me]);
}

function LogRow({ row, room }: { row: Row; room: Room }) {
  switch (row.kind) {
    case "day":
      return <h2 class="day">{day(row.time, today.value)}</h2>;
    case "unread":
      return <p class="unread-line">New messages</p>;
    case "group":
      return <MessageGroup group={row} room={room} />;
  }
}

/** The way back to the end for a reader who has scrolled away from it. */
function ToEnd({ room, onClick }: { room: Room; onClick: () => void }) {
  const unread = useChat().unread(room.name);
  const label =
    unread === 0 ? "To the newest" : unread === 1 ? "1 new message" : `${badge(unread)} new messages`;
  return (
    <button
      type="button"
      class="to-end"
      data-unread={unread > 0}
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      <DownIcon />
      {unread > 0 && <span>{label}</span>}
    </button>
  );
}
