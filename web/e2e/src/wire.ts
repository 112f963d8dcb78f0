import type { Page } from "playwright-core";

/** A publication as the server sends it, as far as these tests look. */
export interface Entry {
  readonly off: number;
  readonly data: { readonly text: string };
}

/** Speaks the protocol itself from within a page, without the client: sends frames and returns as many answers. */
function ask(page: Page, frames: string[]): Promise<string[]> {
  return page.evaluate(
    (lines) =>
      new Promise<string[]>((resolve, reject) => {
        const socket = new WebSocket(`ws://${location.host}/live/websocket`, "earshot.v1.json");
        const answers: string[] = [];
        socket.onopen = () => {
          for (const line of lines) socket.send(line);
        };
        socket.onerror = () => reject(new Error("the connection failed"));
        socket.onmessage = ({ data }) => {
          if (answers.push(data) < lines.length) return;
          socket.close();
          resolve(answers);
        };
      }),
    frames,
  );
}

/** Publishes into a channel with an event's name, as the user whom a secret makes. */
export async function publishAs(
  page: Page,
  secret: string,
  channel: string,
  messages: { event?: string; data: unknown }[],
): Promise<void> {
  const hello = { id: 1, hello: { token: secret } };
  const frames = messages.map((message, i) => ({ id: i + 2, pub: { ch: channel, ...message } }));
  const answers = await ask(
    page,
    [hello, ...frames].map((frame) => JSON.stringify(frame)),
  );
  const refused = answers.slice(1).filter((answer) => !answer.includes('"published"'));
  if (refused.length > 0) throw new Error(`not published: ${refused[0]}`);
}

/** Publishes data, one after the other. */
export async function publish(page: Page, channel: string, data: unknown[]): Promise<void> {
  // Not all at once: the server bounds what one connection may have under way.
  for (let i = 0; i < data.length; i += 50) {
    const frames = data
      .slice(i, i + 50)
      .map((d, k) => JSON.stringify({ id: k + 1, pub: { ch: channel, data: d } }));
    const refused = (await ask(page, frames)).filter((answer) => !answer.includes('"published"'));
    if (refused.length > 0) throw new Error(`not published: ${refused[0]}`);
  }
}

/**
 * Has somebody be in a room as long as the page is open, writing there if they do. Each is a session of their own, and what
 * they say of themselves may be anything.
 */
export async function attend(page: Page, room: string, person: unknown, writes = false): Promise<void> {
  const join = { id: 1, join: { ch: `chat:${room}`, data: person } };
  const set = { id: 2, set: { ch: `typing:${room}`, key: "somebody", data: person, own: true } };
  const lines = (writes ? [join, set] : [join]).map((frame) => JSON.stringify(frame));
  const refused = await page.evaluate(
    (said) =>
      new Promise<string[]>((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/live/websocket`, "earshot.v1.json");
        const answers: string[] = [];
        socket.onopen = () => {
          for (const line of said) socket.send(line);
        };
        socket.onmessage = ({ data }) => {
          if (answers.push(data) === said.length) resolve(answers.filter((a) => !a.includes('"published"')));
        };
      }),
    lines,
  );
  if (refused.length > 0) throw new Error(`may not attend: ${refused[0]}`);
}

/** Reads a channel's newest publications, oldest first. */
export async function history(page: Page, channel: string): Promise<Entry[]> {
  const [answer] = await ask(page, [JSON.stringify({ id: 1, history: { ch: channel, limit: 500 } })]);
  return JSON.parse(answer ?? "").page.pubs ?? [];
}
