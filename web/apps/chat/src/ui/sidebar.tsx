import type { ComponentChildren } from "preact";
import { linkName } from "../model/link";
import { Avatar } from "./avatar";
import { useChat } from "./context";
import { CloseIcon, Mark, PencilIcon, PlusIcon } from "./icons";
import { RoomItem } from "./room-item";
import { TalkItem } from "./talk-item";

interface SidebarProps {
  /** Called when the person wants to find or make a room, to write to somebody, and to change their name. */
  onNewRoom: () => void;
  onNewTalk: () => void;
  onEditProfile: () => void;
  /** Called when a drawer should close: a room was chosen, or the button pressed. */
  onClose: () => void;
  /** Whether the list is a closed drawer, out of reach. */
  hidden: boolean;
}

/** The side list: rooms, conversations, and the person at the page. */
export function Sidebar({ onNewRoom, onNewTalk, onEditProfile, onClose, hidden }: SidebarProps) {
  const chat = useChat();
  const talks = chat.conversations.list.value;
  return (
    <aside class="side" id="side" inert={hidden} aria-label="Rooms, conversations and profile">
      <header class="brand">
        <Mark />
        <span class="brand-name">Earshot</span>
        <button
          type="button"
          class="icon-button drawer-close"
          aria-label="Close the list of rooms"
          onClick={onClose}
        >
          <CloseIcon />
        </button>
      </header>
      <nav class="rooms" aria-label="Rooms and conversations">
        <ListTitle action="Create or join a room" onClick={onNewRoom}>
          Rooms
        </ListTitle>
        <ul>
          {chat.list.value.map((room) => (
            <RoomItem key={room.name} room={room} onOpen={onClose} />
          ))}
        </ul>
        <ListTitle action="Write to somebody" onClick={onNewTalk}>
          Direct messages
        </ListTitle>
        {talks.length === 0 && <p class="rooms-empty">Between two people, on all of their devices.</p>}
        <ul>
          {talks.map((talk) => (
            <TalkItem key={talk.place} talk={talk} onOpen={onClose} />
          ))}
        </ul>
      </nav>
      <ProfileCard onEdit={onEditProfile} />
    </aside>
  );
}

interface ListTitleProps {
  action: string;
  onClick: () => void;
  children: ComponentChildren;
}

/** Stands above a part of the list, with the button that adds to it. */
function ListTitle({ action, onClick, children }: ListTitleProps) {
  return (
    <div class="rooms-title">
      <h2>{children}</h2>
      <button type="button" class="icon-button" aria-label={action} title={action} onClick={onClick}>
        <PlusIcon />
      </button>
    </div>
  );
}

function ProfileCard({ onEdit }: { onEdit: () => void }) {
  const chat = useChat();
  const person = chat.profile.person.value;
  const link = chat.connection.link.value;
  return (
    <footer class="me">
      <Avatar person={person} />
      <div class="me-lines">
        <bdi class="me-name">{person.name}</bdi>
        <span class="me-link" data-link={link.name}>
          {linkName(link)}
        </span>
      </div>
      <button
        type="button"
        class="icon-button"
        aria-label="Change your name"
        title="Change your name"
        onClick={onEdit}
      >
        <PencilIcon />
      </button>
    </footer>
  );
}
