import { toBase64, utf8Length } from "./bytes.js";
import { codeTooLarge, EarshotError } from "./errors.js";
import type { Receipt } from "./events.js";
import { type ClientFrames, type DataBody, maxFrameBytes, type PublishBody } from "./frames.js";
import type { Outbox } from "./outbox.js";
import { randomText } from "./random.js";

/** What `publish` takes. Every field may be left out. */
export interface PublishOptions {
  /** The idempotency id: makes a retry by the application harmless. One is made if there is none. */
  idem?: string | undefined;
  /** The event's name: `message` if left out. */
  event?: string | undefined;
  tags?: Readonly<Record<string, string>> | undefined;
  /** Gives up waiting. What was sent already may be committed all the same. */
  signal?: AbortSignal | undefined;
}

/** What a frame has beside its body: an id of at most 16 digits. */
const frameOverheadBytes = 32;

/** The kinds of frames that change a channel, and are answered once the change is committed. */
export type ChangeKind = "pub" | "set" | "del" | "join" | "leave";

/** The body of a publish. */
export function publishBody(
  channel: string,
  data: unknown,
  { idem, event, tags }: PublishOptions,
): PublishBody {
  const body: PublishBody = { ch: channel, idem: idem ?? randomText(), ...dataBody(data) };
  if (event) body.event = event;
  if (tags) body.tags = tags;
  return body;
}

/** Sends a change through `outbox`. Resolves when it is committed. */
export async function commit<K extends ChangeKind>(
  outbox: Outbox,
  kind: K,
  content: ClientFrames[K],
  signal: AbortSignal | undefined,
): Promise<Receipt> {
  const body = bodyText(content);
  const { position, offset, duplicate, durability } = await outbox.ask({
    kind,
    body,
    wanted: "published",
    signal,
  });
  return { position, offset, duplicate, durability };
}

/** Data as a frame carries it. */
export const dataBody = (data: unknown): DataBody =>
  data instanceof Uint8Array ? { b64: toBase64(data) } : { data };

/** The text of a body. Throws if the frame would be too long for the server. */
export function bodyText(content: object): string {
  const body = JSON.stringify(content);
  if (utf8Length(body) + frameOverheadBytes > maxFrameBytes)
    throw new EarshotError(codeTooLarge, `a message may have at most ${maxFrameBytes} bytes with its frame`);
  return body;
}
