import type { Person } from "./person";

/** Puts oneself first, and leaves the others as they came. */
export function meFirst(people: readonly Person[], me: string): Person[] {
  return [...people.filter(({ id }) => id === me), ...people.filter(({ id }) => id !== me)];
}

/** Says how many people are there: the number, and the words after it. */
export function headcount(count: number): [number: string, words: string] {
  return [String(count), count === 1 ? " person here" : " people here"];
}

/** Says who is writing, without getting long: an empty text for nobody. */
export function writingText(names: readonly string[]): string {
  const [first, second, third] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing…`;
  if (third === undefined) return `${first} and ${second} are typing…`;
  return names.length === 3 ? `${first}, ${second} and ${third} are typing…` : "Several people are typing…";
}
