import { headcount, meFirst } from "../model/company";
import { isUser, type Person } from "../model/person";
import { linkTo, placeOf } from "../model/rooms";
import { useChat } from "./context";
import { Dialog } from "./dialog";
import { PersonItem } from "./person-item";

/** The most people in the list. */
const maxListed = 200;

/** Lists who is in the open room. */
export function PeopleDialog({ room, onClose }: { room: string; onClose: () => void }) {
  const chat = useChat();
  const { people, writers } = chat.gathering.value ?? {};
  const me = chat.profile.person.value.id;
  const all = meFirst(people?.value ?? [], me);
  const writing = new Set(writers?.value.map(({ id }) => id));
  const noteOf = ({ id }: Person) => (id === me ? "you" : writing.has(id) ? "typing…" : "");
  const write = (user: string) => {
    location.hash = linkTo(placeOf(user));
    onClose();
  };
  return (
    <Dialog title={`In #${room}`} onClose={onClose}>
      <p class="people-count">{headcount(all.length).join("")}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus */}
      <ul class="people" aria-label={`People in ${room}`} tabIndex={0}>
        {all.slice(0, maxListed).map((person) => (
          <PersonItem
            key={person.id}
            person={person}
            note={noteOf(person)}
            onWrite={person.id !== me && isUser(person.id) ? () => write(person.id) : undefined}
          />
        ))}
      </ul>
      {all.length > maxListed && <p class="people-count">and {all.length - maxListed} more</p>}
    </Dialog>
  );
}
