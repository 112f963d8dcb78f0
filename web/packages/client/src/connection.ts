import { backoff } from "./backoff.js";
import { encode, encodeText } from "./codec.js";
import { closeMoved, type Fate, fateOf, isRefusedToken } from "./ending.js";
import { ClientCode, EarshotError } from "./errors.js";
import type { ClientFrames, Refusal, ServerFrame, ServerFrames } from "./frames.js";
import { helloId, Link } from "./link.js";
import type { Settings } from "./options.js";
import { randomText } from "./random.js";
import type { State } from "./state.js";
import { TokenSource } from "./token.js";

/** Who uses a connection. */
export interface ConnectionOwner {
  changed(state: State): void;
  /** Requests may be made; those that were not answered on an earlier link are to be made again. */
  opened(): void;
  /** A frame that answers no request. */
  received(frame: ServerFrame): void;
  /** The link that `opened` announced is gone, and with it every request that had no answer. */
  down(): void;
  /** The connection is closed for good. */
  closed(error: EarshotError): void;
}

/** Takes the answer to a request. It is not called if the link ends first. */
export type Answer = (frame: ServerFrame) => void;

const attemptTimeoutMs = 10_000;
const closeTimeoutMs = 1_000;
const maxDelayMs = 24 * 3600_000;
const renewEarliestMs = 5_000;

/** One link after another to the server, with the session's secrets, and the policy of coming back. */
export class Connection {
  readonly #settings: Settings;
  readonly #owner: ConnectionOwner;
  readonly #tokens: TokenSource;
  readonly #sender = randomText();
  readonly #answers = new Map<number, Answer>();
  #state: State = { name: "connecting", attempt: 1 };
  #link: Link | undefined;
  #resume = "";
  #lastId = helloId;
  #failures = 0;
  #openedAt = 0;
  #serverDelay = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(settings: Settings, owner: ConnectionOwner) {
    this.#settings = settings;
    this.#owner = owner;
    this.#tokens = new TokenSource(settings.token);
  }

  get state(): State {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#openedAt > 0;
  }

  /** Sends a frame that wants no answer, if the connection is open. An `id` is that of the call that it answers. */
  send<K extends keyof ClientFrames>(kind: K, body: ClientFrames[K], id?: number): void {
    if (this.isOpen) this.#link?.send(encode(kind, body, id));
  }

  /** Sends a request whose body is JSON text. The connection must be open. */
  request(kind: keyof ClientFrames, body: string, answer: Answer): void {
    const id = ++this.#lastId;
    this.#answers.set(id, answer);
    this.#link?.send(encodeText(kind, body, id));
  }

  /** The server refused the token in an answer: comes back with a fresh one, or ends. */
  refused(refusal: Refusal): void {
    this.#link?.end(refusal);
  }

  token(): Promise<string | undefined> {
    return this.#tokens.next();
  }

  /** Starts the next attempt at once, unless one is under way or the server named a time. Checks an open link. */
  wake(): void {
    if (this.isOpen) this.#link?.probe();
    else if (this.#state.name === "waiting" && (!this.#serverDelay || Date.now() >= this.#state.until))
      this.connect();
  }

  connect(): void {
    clearTimeout(this.#timer);
    this.#change({ name: "connecting", attempt: this.#failures + 1 });
    if (this.#state.name !== "connecting") return;
    void this.#attempt(this.#state);
  }

  /** From now on the end of the link is the end of the connection. */
  closing(): void {
    this.#change({ name: "closing" });
  }

  /** Closes for good and resolves when the server has said goodbye, or soon after. */
  async close(): Promise<void> {
    const end = { code: ClientCode.closed, name: "", reason: "the client was closed" };
    const link = this.#link;
    if (!link) this.#finish(end);
    else await link.close(end, closeTimeoutMs);
  }

  /** Opens a link. `state` identifies the attempt: another state means that it was overtaken. */
  async #attempt(state: State): Promise<void> {
    const overdue = {
      code: ClientCode.disconnected,
      name: "",
      reason: "the attempt to connect took too long",
    };
    this.#timer = setTimeout(
      () => (this.#link ? this.#link.end(overdue) : this.#ended(overdue)),
      attemptTimeoutMs,
    );
    try {
      const token = await this.#tokens.next();
      if (this.#state === state) this.#open(token);
    } catch (error) {
      const code = error instanceof EarshotError ? error.code : ClientCode.disconnected;
      if (this.#state === state) this.#ended({ code, name: "", reason: String(error) });
    }
  }

  #open(token: string | undefined): void {
    const { url, webSocket, heartbeatMs, client } = this.#settings;
    const hello: ClientFrames["hello"] = { client, sender: this.#sender, heartbeat_ms: heartbeatMs };
    if (token) hello.token = token;
    if (this.#resume) hello.resume = this.#resume;
    this.#link = new Link(
      { url, webSocket, hello },
      {
        welcomed: (welcome) => this.#welcomed(welcome),
        received: (frame) => this.#received(frame),
        ended: (end) => this.#ended(end),
      },
    );
  }

  /** Shows the server a fresh token before the one that it has expires, which is after so long; 0: it did not say. */
  #renewWithin(leftMs: number): void {
    if (!leftMs || !this.#tokens.renews) return;
    const wait = Math.min(Math.max(leftMs * 0.9, renewEarliestMs), maxDelayMs);
    this.#renewal = setTimeout(() => void this.#renew(), wait);
  }

  async #renew(): Promise<void> {
    const link = this.#link;
    const token = await this.#tokens.next().catch(() => "");
    if (this.#link !== link) return;
    if (!token) return this.#renewWithin(renewEarliestMs);
    this.request("refresh", JSON.stringify({ token }), ({ kind, body }) => {
      if (kind === "refreshed") this.#renewWithin(body.expires);
      else if (kind === "error" && isRefusedToken(body.code)) this.refused(body);
      else this.#renewWithin(renewEarliestMs);
    });
  }

  #welcomed({ session, user, resumed, resume, expires }: ServerFrames["welcome"]): void {
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    this.#resume = resume;
    this.#renewWithin(expires);
    this.#change({ name: "open", session, user, resumed });
    if (this.isOpen) this.#owner.opened();
  }

  #received(frame: ServerFrame): void {
    if (frame.kind === "call") return this.#owner.received(frame);
    const answer = this.#answers.get(frame.id);
    this.#answers.delete(frame.id);
    if (answer) answer(frame);
    else this.#owner.received(frame);
  }

  #ended(end: Refusal): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#renewal);
    this.#link = undefined;
    this.#answers.clear();
    if (end.code === closeMoved) this.#resume = "";
    const wasOpen = this.isOpen;
    if (wasOpen && Date.now() - this.#openedAt >= this.#settings.stableMs) this.#settled();
    this.#openedAt = 0;
    const fate = this.#fate(end);
    if (fate === "stop") return this.#finish(end);
    if (wasOpen) this.#owner.down();
    this.#comeBack(fate, end);
  }

  /** The connection held for a while: what went wrong before it is forgiven. */
  #settled(): void {
    this.#failures = 0;
    this.#tokens.accepted();
  }

  #fate(end: Refusal): Fate {
    if (this.#state.name === "closing" || end.code === ClientCode.closed) return "stop";
    if (!isRefusedToken(end.code)) return fateOf(end.code);
    return this.#tokens.refused() ? "now" : "stop";
  }

  #comeBack(fate: Fate, end: Refusal): void {
    const failures = this.#failures++;
    this.#serverDelay = end.delay !== undefined;
    // "At once" holds the first time only, or a server that keeps saying it would be hammered. A fresh token is tried
    // once in any case.
    const atOnce = fate === "now" && (failures === 0 || isRefusedToken(end.code));
    const own = atOnce ? 0 : backoff(failures, this.#settings.backoff);
    const delay = Math.min(end.delay ?? own, maxDelayMs);
    this.#timer = setTimeout(() => this.connect(), delay);
    this.#change({ name: "waiting", attempt: failures + 1, until: Date.now() + delay, error: errorOf(end) });
  }

  #finish(end: Refusal): void {
    clearTimeout(this.#timer);
    if (this.#state.name === "closed") return;
    this.#change({ name: "closed", code: end.code, reason: end.reason, retry: false });
    this.#owner.closed(errorOf(end));
  }

  #change(state: State): void {
    this.#state = state;
    this.#owner.changed(state);
  }
}

const errorOf = (end: Refusal) => new EarshotError(end.code, end.reason, end.name);
