import { utf8Length } from "../bytes.js";
import { readLines } from "./lines.js";
import { type End, endOf, lost, Patience, type Requests } from "./requests.js";
import { type Slot, takeSlot } from "./slots.js";

/** How frames come down: as one long answer, in one answer after another, or asked for at intervals. */
export type Mode = "stream" | "poll" | "interval";

/** Who hears what comes down. */
export interface Listener {
  frame(text: string): void;
  ended(end: End): void;
}

const waitSeconds = 25;
/** A stream says something every 15 s. */
const silenceMs = 25_000;
/** A stream begins with bytes that are there to be seen. Who holds these back will hold back frames. */
const firstByteMs = 5_000;
const intervalMs = 2_000;
const ackBytes = 32_768;

/** The frames on their way from the server. */
export class Down {
  readonly #url: string;
  readonly #requests: Requests;
  readonly #listener: Listener;
  #mode: Mode;
  #received: number;
  #unacknowledged = 0; // bytes

  /** `received` is how many frames were in the opening's answer. `url` ends where parameters can follow. */
  constructor(url: string, mode: Mode, received: number, requests: Requests, listener: Listener) {
    this.#url = url;
    this.#mode = mode;
    this.#received = received;
    this.#requests = requests;
    this.#listener = listener;
  }

  /** The number of the last frame. */
  get received(): number {
    return this.#received;
  }

  /** Asks for frames until the conversation is over. */
  async run(): Promise<void> {
    for (let failures = 0; !this.#requests.over; ) {
      const before = this.#received;
      const status = await this.#turn().catch(() => 0);
      if (status === 200 || this.#received > before) {
        failures = 0;
        continue;
      }
      const end = status ? endOf(status) : undefined;
      if (end) return this.#listener.ended(end);
      if (!(await this.#requests.pause(failures++))) return this.#listener.ended(lost("nothing is heard"));
    }
  }

  /** One answer, in the best way there is now. */
  async #turn(): Promise<number> {
    const slot = this.#mode === "interval" ? undefined : await takeSlot(this.#url);
    if (!slot) return this.#glance();
    try {
      return this.#mode === "stream" ? await this.#stream() : await this.#poll(waitSeconds);
    } finally {
      (slot as Slot).release();
    }
  }

  async #glance(): Promise<number> {
    const status = await this.#poll(0);
    await this.#requests.rest(intervalMs);
    return status;
  }

  #poll(wait: number): Promise<number> {
    const patience = new Patience((wait + 10) * 1_000);
    const url = `${this.#url}&mode=poll&wait=${wait}&ack=${this.#received}`;
    return this.#requests.send(url, {}, patience, async (answer) => {
      if (answer.status === 200) await this.#read(answer, () => {});
      return answer.status;
    });
  }

  async #stream(): Promise<number> {
    const patience = new Patience(firstByteMs);
    let heard = false;
    const hear = () => {
      heard = true;
      patience.renew(silenceMs);
    };
    const url = `${this.#url}&mode=stream&ack=${this.#received}`;
    try {
      return await this.#requests.send(url, {}, patience, async (answer) => {
        if (answer.status !== 200) return answer.status;
        if (!answer.body) this.#mode = "poll";
        else await this.#read(answer, hear);
        return answer.status;
      });
    } catch (error) {
      if (!heard && patience.signal.aborted && !this.#requests.over) this.#mode = "poll";
      throw error;
    }
  }

  /** Takes every whole line, also of an answer that is cut off. React Native has no body to read as it comes. */
  async #read(answer: Response, hear: () => void): Promise<void> {
    const take = (line: string) => this.#take(line);
    if (answer.body) return readLines(answer.body, hear, take);
    for (const line of (await answer.text()).split("\n").slice(0, -1)) take(line);
  }

  #take(line: string): void {
    if (line.trim() === "" || this.#requests.over) return;
    this.#received++;
    this.#unacknowledged += utf8Length(line);
    if (this.#unacknowledged >= ackBytes) this.#acknowledge();
    this.#listener.frame(line);
  }

  /** Lets the server forget what has come. The next request says it again, so this one may be lost. */
  #acknowledge(): void {
    this.#unacknowledged = 0;
    const url = `${this.#url}&ack=${this.#received}`;
    void this.#requests
      .send(url, { method: "POST" }, new Patience(silenceMs), async () => {})
      .catch(() => {});
  }
}
