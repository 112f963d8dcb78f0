import type { Person } from "../model/person";
import { Avatar } from "./avatar";
import { ChatIcon } from "./icons";

interface PersonItemProps {
  person: Person;
  /** What is to be said of them beside the name. */
  note?: string;
  /** Called to write to them; left out for those who have no inbox. */
  onWrite?: (() => void) | undefined;
}

/** A person in a list, with the button to write to them. */
export function PersonItem({ person, note = "", onWrite }: PersonItemProps) {
  return (
    <li class="person">
      <Avatar person={person} />
      <bdi class="person-name">{person.name}</bdi>
      {note !== "" && <span class="person-note">{note}</span>}
      {onWrite !== undefined && (
        <button type="button" class="quiet-button person-write" onClick={onWrite}>
          <ChatIcon />
          Message<span class="hidden"> {person.name}</span>
        </button>
      )}
    </li>
  );
}
