import { initials, type Person } from "../model/person";

/** The round picture of a person. It repeats the name that stands beside it, so it is hidden from screen readers. */
export function Avatar({
  person,
  size = "normal",
}: {
  person: Pick<Person, "name" | "hue">;
  size?: "small" | "normal" | "large";
}) {
  return (
    <span class="avatar" data-hue={person.hue} data-size={size} aria-hidden="true">
      {initials(person.name)}
    </span>
  );
}
