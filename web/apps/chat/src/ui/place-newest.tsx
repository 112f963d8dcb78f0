import type { Message } from "../model/message";
import { badge } from "../model/unread";
import { brief } from "../model/when";
import { useChat } from "./context";
import { today } from "./today";

/** The newest message of a place in the side list, or what stands there before there is one. */
export function Newest({ message, otherwise }: { message: Message | undefined; otherwise: string }) {
  const me = useChat().profile.person.value.id;
  if (message === undefined) return <span class="room-newest">{otherwise}</span>;
  const author = message.from.id === me ? "You" : message.from.name;
  return (
    <>
      <span class="room-newest">
        <bdi>{author}</bdi>: <bdi>{message.text.slice(0, 80)}</bdi>
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
