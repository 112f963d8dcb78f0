import { toBase64, utf8Length } from "./bytes.js";
import { codeTooLarge, EarshotError } from "./errors.js";
import type { Receipt } from "./events.js";
import { maxFrameBytes, type PublishBody } from "./frames.js";
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

/** Publishes through `outbox`. Resolves when the message is committed. */
export async function publish(
  outbox: Outbox,
  channel: string,
  data: unknown,
  { idem, event, tags, signal }: PublishOptions,
): Promise<Receipt> {
  const content: PublishBody = { ch: channel, idem: idem ?? randomText() };
  if (event) content.event = event;
  if (tags) content.tags = tags;
  if (data instanceof Uint8Array) content.b64 = toBase64(data);
  else content.data = data;
  const body = JSON.stringify(content);
  if (utf8Length(body) + frameOverheadBytes > maxFrameBytes) {
    throw new EarshotError(codeTooLarge, `a message may have at most ${maxFrameBytes} bytes with its frame`);
  }
  const { position, offset, duplicate, durability } = await outbox.ask({
    kind: "pub",
    body,
    wanted: "published",
    signal,
  });
  return { position, offset, duplicate, durability };
}
