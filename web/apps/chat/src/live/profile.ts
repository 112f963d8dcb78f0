import { computed, signal } from "@preact/signals";
import { cleanName, hueCount, hueOf, type Person, suggestName } from "../model/person";
import { randomID } from "./random";
import { load, save } from "./storage";

/** The person at this browser. */
export class Profile {
  private readonly kept = signal(loadPerson() ?? newPerson());
  /** Who messages are from. */
  readonly person = computed<Person>(() => this.kept.value);
  /** Whether the person has not chosen a name yet. */
  readonly isNew = signal(loadPerson() === undefined);

  /** Takes a name and a colour. Nothing changes when no visible sign is left of the name. */
  choose(name: string, hue: number): void {
    const clean = cleanName(name);
    if (clean === "") return;
    this.kept.value = { ...this.kept.peek(), name: clean, hue };
    this.isNew.value = false;
    save(localStorage, "me", this.kept.peek());
  }
}

function newPerson(): Person {
  const id = randomID();
  return { id, name: suggestName(Math.random), hue: hueOf(id) };
}

function loadPerson(): Person | undefined {
  return load(localStorage, "me", (value) => {
    if (typeof value !== "object" || value === null) return undefined;
    const { id, name, hue } = value as Record<string, unknown>;
    if (typeof id !== "string" || id === "" || typeof name !== "string" || typeof hue !== "number")
      return undefined;
    const clean = cleanName(name);
    return clean === "" || !Number.isInteger(hue) || hue < 0 || hue >= hueCount
      ? undefined
      : { id, name: clean, hue };
  });
}
