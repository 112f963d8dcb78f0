import type { WebSocketLike } from "../socket.js";
import type { conversationURL } from "./address.js";
import { Down, type Mode } from "./down.js";
import { type End, lost, Patience, Requests, request } from "./requests.js";
import { Up } from "./up.js";

const openMs = 10_000;

/** A conversation over HTTP that behaves as a WebSocket does. */
export class HTTPSocket implements WebSocketLike {
  onopen: WebSocketLike["onopen"] = null;
  onmessage: WebSocketLike["onmessage"] = null;
  onerror: WebSocketLike["onerror"] = null;
  onclose: WebSocketLike["onclose"] = null;

  readonly #at: ReturnType<typeof conversationURL>;
  readonly #mode: Mode;
  readonly #opening = new Patience(openMs);
  readonly #early: string[] = [];
  #requests: Requests | undefined;
  #up: Up | undefined;
  #sid = "";
  #begun = false;
  #over = false;

  constructor(at: ReturnType<typeof conversationURL>, mode: Mode) {
    this.#at = at;
    this.#mode = mode;
    queueMicrotask(() => this.onopen?.({} as never));
  }

  /** The first frame must be hello: it opens the conversation. */
  send(text: string): void {
    if (this.#up) this.#up.send(text);
    else if (this.#begun) this.#early.push(text);
    else {
      this.#begun = true;
      void this.#open(text).catch((error) => this.#end(lost(String(error))));
    }
  }

  close(code = 1005): void {
    const sid = this.#sid;
    this.#end({ code, reason: "" });
    // It ends by itself if this is lost. A page that is being left still sends it.
    if (sid) request(`${this.#at.path}/${sid}/close`, { method: "POST", keepalive: true }).catch(() => {});
  }

  async #open(hello: string): Promise<void> {
    const query = this.#at.query && `?${this.#at.query.slice(1)}`;
    const answer = await request(this.#at.path + query, {
      method: "POST",
      body: `${hello.replaceAll("\n", " ")}\n`,
      signal: this.#opening.signal,
    });
    const lines = (await answer.text()).split("\n").filter((line) => line.startsWith("{"));
    if (this.#over) return;
    if (answer.status !== 200) return this.#refused(answer.status, lines);
    const { sid, linger_ms } = JSON.parse(lines.shift() ?? "").open;
    this.#sid = sid;
    this.#converse(`${this.#at.path}/${sid}?${this.#at.query}`, linger_ms, lines);
  }

  /** The body says why, as a frame. */
  #refused(status: number, lines: string[]): void {
    for (const line of lines) this.#heard(line);
    this.#end(lost(`status ${status}`));
  }

  #converse(url: string, lingerMs: number, frames: string[]): void {
    this.#opening.end();
    const requests = new Requests(lingerMs);
    const ended = (end: End) => this.#end(end);
    const listener = { frame: (text: string) => this.#heard(text), ended };
    const down = new Down(url, this.#mode, frames.length, requests, listener);
    this.#requests = requests;
    this.#up = new Up(url, requests, () => down.received, ended);
    for (const text of this.#early.splice(0)) this.#up.send(text);
    for (const text of frames) this.#heard(text);
    void down.run();
  }

  #heard(text: string): void {
    if (this.#over) return;
    this.onmessage?.({ data: text } as never);
    // It is the last frame. Asking on would only show that nobody is there.
    if (text.startsWith('{"bye":')) this.close(1000);
  }

  #end(end: End): void {
    if (this.#over) return;
    this.#over = true;
    this.#opening.end();
    this.#requests?.stop();
    queueMicrotask(() => this.onclose?.(end as never));
  }
}
