import { linkTo, type RoomInfo } from "../model/rooms";
import { newest } from "../model/timeline";
import { useChat } from "./context";
import { CloseIcon, RoomIcon } from "./icons";
import { Newest, UnreadBadge } from "./place-newest";

/** A room in the side list, with its newest message and how many are unread. */
export function RoomItem({ room, onOpen }: { room: RoomInfo; onOpen: () => void }) {
  const chat = useChat();
  const open = chat.current.value === room.name;
  // What comes while its reader looks at it is read at once: no badge shall flash up.
  const unread = open && chat.attended.value ? 0 : chat.unread(room.name);
  const message = newest(chat.follow(room.name).room.timeline.value);
  return (
    <li class="room-item" data-unread={unread > 0}>
      <a class="room-link" href={linkTo(room.name)} aria-current={open ? "page" : undefined} onClick={onOpen}>
        <span class="tile" data-hue={room.hue}>
          <RoomIcon name={room.name} />
        </span>
        <span class="room-name">{room.name}</span>
        <Newest message={message} otherwise={room.ready ? room.topic : "Nothing said yet"} />
        <UnreadBadge count={unread} />
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
