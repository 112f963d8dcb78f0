import type { Person } from "../model/person";
import { roomInfo } from "../model/rooms";
import { badge } from "../model/unread";
import { Avatar } from "./avatar";
import { useChat } from "./context";
import { LinkIcon, MenuIcon, RoomIcon } from "./icons";
import { PeopleButton } from "./people-button";

interface RoomHeaderProps {
  onMenu: () => void;
  onInvite: () => void;
  onPeople: () => void;
  menuOpen: boolean;
}

/** The open place's name, and the way to the list of rooms on a small screen. */
export function RoomHeader({ onMenu, onInvite, onPeople, menuOpen }: RoomHeaderProps) {
  const chat = useChat();
  const { peer } = chat;
  return (
    <header class="room-header">
      <MenuButton onClick={onMenu} open={menuOpen} />
      {peer === undefined ? <RoomHeading room={chat.current.value} /> : <PeerHeading peer={peer} />}
      {peer === undefined && (
        <>
          <PeopleButton onClick={onPeople} />
          <button type="button" class="quiet-button invite" onClick={onInvite}>
            <LinkIcon />
            <span class="invite-text">Invite</span>
          </button>
        </>
      )}
    </header>
  );
}

function RoomHeading({ room }: { room: string }) {
  const { name, topic, hue } = roomInfo(room);
  return (
    <>
      <span class="tile" data-hue={hue}>
        <RoomIcon name={name} />
      </span>
      <div class="room-heading">
        <h1>{name}</h1>
        <p>{topic}</p>
      </div>
    </>
  );
}

function PeerHeading({ peer }: { peer: Person }) {
  const online = useChat().conversations.isOnline(peer.id);
  return (
    <>
      <span class="face" data-online={online}>
        <Avatar person={peer} />
      </span>
      <div class="room-heading">
        <h1>
          <bdi>{peer.name}</bdi>
        </h1>
        <p>{online ? "Online" : "Not here now: it waits in the inbox"}</p>
      </div>
    </>
  );
}

function MenuButton({ onClick, open }: { onClick: () => void; open: boolean }) {
  const chat = useChat();
  const elsewhere = chat.unreadBut(chat.current.value);
  return (
    <button
      type="button"
      class="icon-button menu"
      id="menu"
      aria-expanded={open}
      aria-controls="side"
      onClick={onClick}
    >
      <MenuIcon />
      <span class="hidden">Rooms</span>
      {elsewhere > 0 && (
        <span class="menu-badge">
          {badge(elsewhere)}
          <span class="hidden"> unread elsewhere</span>
        </span>
      )}
    </button>
  );
}
