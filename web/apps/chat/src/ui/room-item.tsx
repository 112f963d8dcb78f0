import { linkTo, type RoomInfo } from "../model/rooms";
import { newest } from "../model/timeline";
import { badge } from "../model/unread";
import { brief } from "../model/when";
import { useChat } from "./context";
import { CloseIcon, RoomIcon } from "./icons";
import { today } from "./today";

/** A room in the side list, with its newest message and how many are unread. */
export function RoomItem({ room, onOpen }: { room: RoomInfo; onOpen: () => void }) {
  const chat = useChat();
  const open = chat.current.value === room.name;
  const unread = open ? 0 : chat.unread(room.name);
  return (
    <li class="room-item" data-unread={unread > 0}>
      <a class="room-link" href={linkTo(room.name)} aria-current={open ? "page" : undefined} onClick={onOpen}>
        <span class="tile" data-hue={room.hue}>
          <RoomIcon name={room.name} />
        </span>
        <span class="room-name">{room.name}</span>
        <Newest room={room} />
        {unread > 0 && (
          <span class="badge">
            {badge(unread)}
            <span class="hidden"> unread</span>
          </span>
        )}
      </a>
      {!room.ready && (
        <button
          type="button"
          class="icon-button leave"
          aria-label={`Leave ${room.name}`}
          title="Leave"
          onClick={() => chat.leave(room.name)}
        >
          <CloseIcon />
        </button>
      )}
    </li>
  );
}

function Newest({ room }: { room: RoomInfo }) {
  const chat = useChat();
  const message = newest(chat.follow(room.name).timeline.value);
  if (message === undefined)
    return <span class="room-newest">{room.ready ? room.topic : "Nothing said yet"}</span>;
  const author = message.from.id === chat.profile.person.value.id ? "You" : message.from.name;
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
