import type { Message, Received } from "../src/model/message";
import type { Person } from "../src/model/person";

export const ada: Person = { id: "ada", name: "Ada", hue: 1 };
export const me: Person = { id: "me", name: "Me", hue: 2 };

/** Makes a committed message whose text is its offset. */
export function message(offset: number, change: Partial<Message> = {}): Message {
  return {
    offset,
    position: `p${offset}`,
    time: 1000 * offset,
    id: `id${offset}`,
    from: ada,
    text: `${offset}`,
    ...change,
  };
}

/** Makes the messages with the offsets from first to last. */
export function run(first: number, last: number): Message[] {
  return Array.from({ length: last - first + 1 }, (_, i) => message(first + i));
}

export function offsets(messages: readonly Message[]): number[] {
  return messages.map(({ offset }) => offset);
}

/** Makes what a channel delivers; the server knows the one whom the data names. */
export function received(
  offset: number,
  data: unknown = { id: `id${offset}`, from: ada, text: `${offset}` },
): Received {
  const { from } = Object(data) as { from?: { id?: string } };
  return { data, offset, position: `p${offset}`, time: 1000 * offset, user: from?.id ?? "" };
}
