import { computed, signal } from "@preact/signals";
import { type DeviceLink, linkForDevice } from "../model/device";
import { cleanName, hueCount, hueOf, type Person, suggestName } from "../model/person";
import { randomID } from "./random";
import { clear, load, save } from "./storage";

/** What people choose for themselves. */
type Choice = Pick<Person, "name" | "hue">;

/** The person at this browser. */
export class Profile {
  private readonly choice = signal(loadChoice() ?? suggestion());
  private readonly id = signal(load(localStorage, "id", readText) ?? "");
  /** What makes this browser the person, and nobody else: only the server gets it, and devices of the same person. */
  readonly secret = loadSecret();
  /** Who messages are from. The id is empty until the server has said it, on the first visit. */
  readonly person = computed<Person>(() => ({ id: this.id.value, ...this.choice.value }));
  /** Whether the person has not chosen a name yet. */
  readonly isNew = signal(loadChoice() === undefined);

  /** Takes a name and a colour. Nothing changes when no visible sign is left of the name. */
  choose(name: string, hue: number): void {
    const clean = cleanName(name);
    if (clean === "") return;
    this.choice.value = { name: clean, hue };
    this.isNew.value = false;
    save(localStorage, "me", this.choice.peek());
  }

  /** Takes the id that the server knows this person by. */
  know(id: string): void {
    if (id === this.id.peek()) return;
    this.id.value = id;
    save(localStorage, "id", id);
  }

  /** Returns the hash of an address that makes another browser a device of this person. */
  deviceLink(): string {
    return linkForDevice({ secret: this.secret, ...this.choice.peek() });
  }
}

/** Makes this browser a device of the person who made the link, for profiles that are made from now on. */
export function adopt({ secret, name, hue }: DeviceLink): void {
  // What somebody else had on the way is not to go out in this person's name.
  clear(sessionStorage);
  save(localStorage, "secret", secret);
  save(localStorage, "me", { name, hue });
  save(localStorage, "id", "");
}

function suggestion(): Choice {
  return { name: suggestName(Math.random), hue: hueOf(randomID()) };
}

function loadSecret(): string {
  const kept = load(localStorage, "secret", readText);
  if (kept !== undefined) return kept;
  const made = randomID();
  save(localStorage, "secret", made);
  return made;
}

function readText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function loadChoice(): Choice | undefined {
  return load(localStorage, "me", (value) => {
    if (typeof value !== "object" || value === null) return undefined;
    const { name, hue } = value as Record<string, unknown>;
    if (typeof name !== "string" || typeof hue !== "number") return undefined;
    const clean = cleanName(name);
    return clean === "" || !Number.isInteger(hue) || hue < 0 || hue >= hueCount
      ? undefined
      : { name: clean, hue };
  });
}
