import { headcount, meFirst } from "../model/company";
import type { Person } from "../model/person";
import { Avatar } from "./avatar";
import { useChat } from "./context";
import { Dialog } from "./dialog";

/** The most people in the list. */
const maxListed = 200;

/** Lists who is in the open room. */
export function PeopleDialog({ room, onClose }: { room: string; onClose: () => void }) {
  const chat = useChat();
  const { people, writers } = chat.gathering.value ?? {};
  const me = chat.profile.person.value.id;
  const all = meFirst(people?.value ?? [], me);
  const writing = new Set(writers?.value.map(({ id }) => id));
  return (
    <Dialog title={`In #${room}`} onClose={onClose}>
      <p class="people-count">{headcount(all.length).join("")}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what has the focus */}
      <ul class="people" aria-label={`People in ${room}`} tabIndex={0}>
        {all.slice(0, maxListed).map((person) => (
          <PersonItem
            key={person.id}
            person={person}
            isMe={person.id === me}
            writes={writing.has(person.id)}
          />
        ))}
      </ul>
      {all.length > maxListed && <p class="people-count">and {all.length - maxListed} more</p>}
    </Dialog>
  );
}

function PersonItem({ person, isMe, writes }: { person: Person; isMe: boolean; writes: boolean }) {
  return (
    <li class="person">
      <Avatar person={person} />
      <bdi class="person-name">{person.name}</bdi>
      {isMe && <span class="person-note">you</span>}
      {writes && <span class="person-note">typing…</span>}
    </li>
  );
}
