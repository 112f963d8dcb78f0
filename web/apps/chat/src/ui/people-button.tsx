import { headcount, meFirst } from "../model/company";
import { Avatar } from "./avatar";
import { useChat } from "./context";
import { PeopleIcon } from "./icons";

/** The most faces in the header. */
const maxFaces = 3;

/** How many people are in the open room, with some of their faces; nothing until that is known. Opens the list of them. */
export function PeopleButton({ onClick }: { onClick: () => void }) {
  const chat = useChat();
  const people = chat.gathering.value?.people.value ?? [];
  if (people.length === 0) return null;
  const [count, words] = headcount(people.length);
  return (
    <button
      type="button"
      class="quiet-button people-button"
      aria-haspopup="dialog"
      title={`${count}${words}`}
      onClick={onClick}
    >
      <span class="faces">
        {meFirst(people, chat.profile.person.value.id)
          .slice(0, maxFaces)
          .map((person) => (
            <Avatar key={person.id} person={person} size="small" />
          ))}
      </span>
      <PeopleIcon />
      <span class="people-number">
        {count}
        <span class="hidden">{words}</span>
      </span>
    </button>
  );
}
