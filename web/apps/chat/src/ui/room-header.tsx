import { roomInfo } from "../model/rooms";
import { badge } from "../model/unread";
import { useChat } from "./context";
import { LinkIcon, MenuIcon, RoomIcon } from "./icons";
import { PeopleButton } from "./people-button";

interface RoomHeaderProps {
  onMenu: () => void;
  onInvite: () => void;
  onPeople: () => void;
  menuOpen: boolean;
}

/** The open room's name, and the way to the list of rooms on a small screen. */
export function RoomHeader({ onMenu, onInvite, onPeople, menuOpen }: RoomHeaderProps) {
  const chat = useChat();
  const { name, topic, hue } = roomInfo(chat.current.value);
  return (
    <header class="room-header">
      <MenuButton onClick={onMenu} open={menuOpen} />
      <span class="tile" data-hue={hue}>
        <RoomIcon name={name} />
      </span>
      <div class="room-heading">
        <h1>{name}</h1>
        <p>{topic}</p>
      </div>
      <PeopleButton onClick={onPeople} />
      <button type="button" class="quiet-button invite" onClick={onInvite}>
        <LinkIcon />
        <span class="invite-text">Invite</span>
      </button>
    </header>
  );
}

function MenuButton({ onClick, open }: { onClick: () => void; open: boolean }) {
  const chat = useChat();
  const elsewhere = chat.list.value.reduce(
    (sum, { name }) => sum + (name === chat.current.value ? 0 : chat.unread(name)),
    0,
  );
  return (
    <button
      type="button"
      class="icon-button menu"
      id="menu"
      aria-label="Rooms"
      aria-expanded={open}
      aria-controls="side"
      onClick={onClick}
    >
      <MenuIcon />
      {elsewhere > 0 && (
        <span class="menu-badge">
          {badge(elsewhere)}
          <span class="hidden"> unread in other rooms</span>
        </span>
      )}
    </button>
  );
}
