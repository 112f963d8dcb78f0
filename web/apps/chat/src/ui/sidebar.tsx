import { linkName } from "../model/link";
import { Avatar } from "./avatar";
import { useChat } from "./context";
import { CloseIcon, Mark, PencilIcon, PlusIcon } from "./icons";
import { RoomItem } from "./room-item";

interface SidebarProps {
  /** Called when the person wants to find or make a room, and to change their name. */
  onNewRoom: () => void;
  onEditProfile: () => void;
  /** Called when a drawer should close: a room was chosen, or the button pressed. */
  onClose: () => void;
  /** Whether the list is a closed drawer, out of reach. */
  hidden: boolean;
}

/** The side list: rooms, and the person at the page. */
export function Sidebar({ onNewRoom, onEditProfile, onClose, hidden }: SidebarProps) {
  const chat = useChat();
  return (
    <aside class="side" id="side" inert={hidden} aria-label="Rooms and profile">
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
      <nav class="rooms" aria-label="Rooms">
        <div class="rooms-title">
          <h2>Rooms</h2>
          <button
            type="button"
            class="icon-button"
            aria-label="Create or join a room"
            title="Create or join a room"
            onClick={onNewRoom}
          >
            <PlusIcon />
          </button>
        </div>
        <ul>
          {chat.list.value.map((room) => (
            <RoomItem key={room.name} room={room} onOpen={onClose} />
          ))}
        </ul>
      </nav>
      <ProfileCard onEdit={onEditProfile} />
    </aside>
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
