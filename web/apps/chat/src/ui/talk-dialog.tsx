import { linkTo, placeOf } from "../model/rooms";
import { useChat } from "./context";
import { Dialog } from "./dialog";
import { PersonItem } from "./person-item";

/** The most people in the list. */
const maxListed = 200;

/** Lists who is online, to write to one of them. */
export function TalkDialog({ onClose }: { onClose: () => void }) {
  const chat = useChat();
  const me = chat.profile.person.value.id;
  const others = chat.conversations.online.value.filter(({ id }) => id !== me);
  const write = (user: string) => {
    location.hash = linkTo(placeOf(user));
    onClose();
  };
  return (
    <Dialog title="Write to somebody" onClose={onClose}>
      <p class="people-count">
        {others.length === 0
          ? "Nobody else is online. Open this page in a second browser to be somebody else."
          : `${others.length} online`}
      </p>
      <ul class="people" aria-label="People online">
        {others.slice(0, maxListed).map((person) => (
          <PersonItem key={person.id} person={person} onWrite={() => write(person.id)} />
        ))}
      </ul>
      {others.length > maxListed && <p class="people-count">and {others.length - maxListed} more</p>}
    </Dialog>
  );
}
