import { utf8Length } from "../bytes.js";
import { type End, endOf, lost, Patience, type Requests } from "./requests.js";

const maxFrames = 256;
const maxBytes = 131_072;
const answerMs = 20_000;

/** The frames on their way to the server: in order, in numbered requests, one at a time. */
export class Up {
  readonly #url: string;
  readonly #requests: Requests;
  readonly #acknowledged: () => number;
  readonly #ended: (end: End) => void;
  readonly #waiting: string[] = [];
  #number = 0;
  #sending = false;

  /** `acknowledged` is the number of the last frame that came down. `url` ends where parameters can follow. */
  constructor(url: string, requests: Requests, acknowledged: () => number, ended: (end: End) => void) {
    this.#url = url;
    this.#requests = requests;
    this.#acknowledged = acknowledged;
    this.#ended = ended;
  }

  send(frame: string): void {
    // Between the tokens of JSON text a line break is a space, and inside of a string there is none.
    this.#waiting.push(`${frame.replaceAll("\n", " ")}\n`);
    if (!this.#sending) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0 && !this.#requests.over) {
      const end = await this.#deliver(++this.#number, this.#take());
      if (end) this.#ended(end);
    }
    this.#sending = false;
  }

  /** Sends a body until it is answered. Returns why the conversation is over, if it is. */
  async #deliver(n: number, body: string): Promise<End | undefined> {
    const init = { method: "POST", body };
    for (let failures = 0; ; failures++) {
      const url = `${this.#url}&n=${n}&ack=${this.#acknowledged()}`;
      const status = await this.#requests
        .send(url, init, new Patience(answerMs), async (answer) => answer.status)
        .catch(() => 0);
      if (status === 204) return undefined;
      const end = status ? endOf(status) : undefined;
      if (end) return end;
      if (!(await this.#requests.pause(failures))) return lost("nothing can be sent");
    }
  }

  /** Takes out what fits into one body: one frame at least. */
  #take(): string {
    let bytes = 0;
    let count = 0;
    for (const frame of this.#waiting) {
      bytes += utf8Length(frame);
      if (count === maxFrames || (count > 0 && bytes > maxBytes)) break;
      count++;
    }
    return this.#waiting.splice(0, count).join("");
  }
}
