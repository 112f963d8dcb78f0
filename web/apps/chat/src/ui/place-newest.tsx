import type { Message } from "../model/message";
import { badge } from "../model/unread";
import { brief } from "../model/when";
import { useChat } from "./context";
import { today } from "./today";

interface NewestProps {
  message: Message | undefined;
  /** What stands there before anything was said. */
  otherwise: string;
  /** In a conversation: the one whose name stands above it already. */
  peer?: string;
}

/** The newest message of a place in the side list. */
export function Newest({ message, otherwise, peer }: NewestProps) {
  const me = useChat().profile.person.value.id;
  if (message === undefined) return <span class="room-newest">{otherwise}</span>;
  const { from, text } = message;
  return (
    <>
      <span class="room-newest">
        {from.id !== peer && (
          <>
            <bdi>{from.id === me ? "You" : from.name}</bdi>:{" "}
          </>
        )}
        <bdi>{text.slice(0, 80)}</bdi>
      </span>
      <time class="room-time" dateTime={new Date(message.time).toISOString()}>
        {brief(message.time, today.value)}
      </time>
    </>
  );
}

/** How many messages of a place are unread; nothing for none. */
export function UnreadBadge({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <span class="badge">
      {badge(count)}
      <span class="hidden"> unread</span>
    </span>
  );
}
