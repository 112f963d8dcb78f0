/** Somebody in the chat. Names and colours are what people say of themselves. */
export interface Person {
  /** The user that the server knows, or, with a ~ before it, what somebody says who is none. */
  readonly id: string;
  readonly name: string;
  /** One of the colours, 0 to hueCount - 1. */
  readonly hue: number;
}

/** How many avatar colours the style sheet knows. */
export const hueCount = 10;

/** The most characters a display name may have. */
export const maxNameLength = 32;

/** Returns the id of somebody whom the server does not vouch for. It is nobody else's. */
export function unverifiedID(claim: string): string {
  return `~${claim}`;
}

/** Reports whether the server knows a person as a user, who has an inbox. */
export function isUser(id: string): boolean {
  return id !== "" && !id.startsWith("~");
}

/** Puts a name on one line, without control and direction characters that would disturb what stands beside it. */
export function cleanName(text: string): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return Array.from(visible).slice(0, maxNameLength).join("").trim();
}

/** Returns one or two letters that stand for a name, or its first sign if it has no letters. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word !== "");
  const first = words[0];
  if (first === undefined) return "?";
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return (firstSign(first) + (last === undefined ? "" : firstSign(last))).toUpperCase();
}

/** Returns the colour of someone who chose none, always the same for the same text. */
export function hueOf(text: string): number {
  let hash = 0;
  for (const sign of text) hash = (Math.imul(hash, 31) + (sign.codePointAt(0) ?? 0)) | 0;
  return Math.abs(hash) % hueCount;
}

const adjectives = ["Amber", "Brave", "Calm", "Clever", "Gentle", "Kind", "Lucky", "Merry", "Quiet", "Swift"];
const animals = ["Badger", "Finch", "Fox", "Hare", "Heron", "Lynx", "Marten", "Otter", "Owl", "Wren"];

/** Suggests a name to someone who has none yet. random returns numbers from 0 to below 1. */
export function suggestName(random: () => number): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? "";
  return `${pick(adjectives)} ${pick(animals)}`;
}

function firstSign(word: string): string {
  return Array.from(word)[0] ?? "";
}
