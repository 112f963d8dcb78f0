import { cleanName, hueCount, hueOf, type Person, unverifiedID } from "./person";

/** What this app publishes. Others may publish anything into the same channels: see readMessage. */
export interface ChatData {
  /** Made by the author, so that an author's page knows its own message when it comes back. */
  readonly id: string;
  readonly from: Person;
  /** Of a direct message: to whom, as the sender's pages show them. */
  readonly to?: Person;
  readonly text: string;
}

/** The part of a publication that a message is made from. */
export interface Received {
  readonly data: unknown;
  readonly offset: number;
  readonly position: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Who published it, as the server says; empty or undefined for an anonymous client. */
  readonly user?: string | undefined;
}

/** A committed message. Its offset is its place in the room. */
export interface Message {
  readonly offset: number;
  readonly position: string;
  /** Milliseconds since 1970, by the server's clock. */
  readonly time: number;
  /** The id in the data; empty if it had none. */
  readonly id: string;
  readonly from: Person;
  readonly text: string;
}

/** The most characters the composer accepts: far below the protocol's 64 KB, whatever the characters. */
export const maxTextLength = 4000;

/** Makes a message of any publication, also of one that another program wrote: text, `{"text": …}`, or other JSON. */
export function readMessage(received: Received): Message {
  const { data, offset, position, time, user } = received;
  const fields = isRecord(data) ? data : {};
  return {
    offset,
    position,
    time,
    id: readID(fields.id),
    from: readPerson(fields.from, user),
    text: readText(data),
  };
}

function readID(id: unknown): string {
  return typeof id === "string" && id.length <= 64 ? id : "";
}

/**
 * Makes a person of what somebody says of themselves: a name, a `Person`, or something else. Who it is says the server, if
 * they are one of its users.
 */
export function readPerson(from: unknown, user?: string | undefined): Person {
  const claims = isRecord(from) ? from : { name: from };
  const said = typeof claims.name === "string" ? cleanName(claims.name) : "";
  const name = said || (isRecord(from) ? "" : cleanName(user ?? "")) || "Guest";
  const claim = typeof claims.id === "string" && claims.id !== "" ? claims.id.slice(0, 64) : `name:${name}`;
  return {
    id: user || unverifiedID(claim),
    name,
    hue: Number.isInteger(claims.hue) ? Math.abs(claims.hue as number) % hueCount : hueOf(name),
  };
}

function readText(data: unknown): string {
  if (typeof data === "string") return data;
  if (data instanceof Uint8Array) return `${data.byteLength} bytes`;
  if (isRecord(data) && typeof data.text === "string") return data.text;
  return JSON.stringify(data) ?? "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}
