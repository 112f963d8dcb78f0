import { type BackoffOptions, backoff } from "./backoff.js";
import type { Connection } from "./connection.js";
import { abortReason, ClientCode, EarshotError, isTemporary, needsToken } from "./errors.js";
import type { Refusal, ServerFrame, ServerFrames } from "./frames.js";
import type { QueueLimit } from "./options.js";
import { type Question, Request } from "./request.js";

export interface OutboxOptions extends QueueLimit {
  backoff: BackoffOptions;
  /** How long after it was first sent a request may be sent again, in milliseconds. */
  retryMs: number;
  /** Codes of errors that may not last, and that are an answer all the same. */
  final?: readonly number[];
}

/** Requests in the order in which they were made, sent again on each new link until they are answered. Bounded. */
export class Outbox {
  readonly #connection: Connection;
  readonly #options: OutboxOptions;
  readonly #requests = new Set<Request>();
  #bytes = 0;
  #refusals = 0;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #whenEmpty: (() => void) | undefined;

  constructor(connection: Connection, options: OutboxOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Resolves with the answer's body. Rejects with the signal's reason or an EarshotError. */
  async ask<K extends keyof ServerFrames>(question: Question<K>): Promise<ServerFrames[K]> {
    if (question.signal?.aborted) throw abortReason(question.signal);
    const request: Request = new Request(question, () => this.#remove(request));
    if (this.#requests.size >= this.#options.count || this.#bytes + request.bytes > this.#options.bytes) {
      request.fail(new EarshotError(ClientCode.queueFull, "too many requests wait for an answer"));
    } else {
      this.#requests.add(request);
      this.#bytes += request.bytes;
      this.#send(request);
    }
    return (await request.answer).body as ServerFrames[K];
  }

  /** The connection is open: sends everything that has no answer. */
  opened(): void {
    for (const request of [...this.#requests]) this.#send(request);
  }

  /** The link is gone: nothing is under way. */
  down(): void {
    this.#resume();
    for (const request of this.#requests) request.underWay = false;
  }

  /** Fails everything that has no answer. */
  close(error: EarshotError): void {
    this.#resume();
    for (const request of [...this.#requests]) request.fail(error);
  }

  /** Resolves once nothing waits for an answer. */
  async empty(): Promise<void> {
    if (this.#requests.size) await new Promise<void>((resolve) => (this.#whenEmpty = resolve));
  }

  #remove(request: Request): void {
    if (!this.#requests.delete(request)) return;
    this.#bytes -= request.bytes;
    if (!this.#requests.size) this.#whenEmpty?.();
  }

  #send(request: Request): void {
    if (request.underWay || this.#pause || !this.#connection.isOpen) return;
    if (request.sentAt && Date.now() - request.sentAt > this.#options.retryMs) {
      // The server may have forgotten the idempotency id: sending it again could commit it twice.
      return request.fail(
        new EarshotError(ClientCode.outcomeUnknown, "no answer came in time; it may be committed"),
      );
    }
    request.underWay = true;
    request.sentAt ||= Date.now();
    const { kind, body } = request.question;
    this.#connection.request(kind, body, (frame) => this.#answered(request, frame));
  }

  #answered(request: Request, frame: ServerFrame): void {
    if (!this.#requests.has(request)) return;
    if (frame.kind !== "error") {
      this.#refusals = 0;
      request.answered(frame);
    } else if (this.#maySucceed(frame.body.code)) {
      request.underWay = false;
      this.#putOff(frame.body);
    } else request.fail(new EarshotError(frame.body.code, frame.body.reason, frame.body.name));
  }

  #maySucceed(code: number): boolean {
    return needsToken(code) || (isTemporary(code) && !this.#options.final?.includes(code));
  }

  #putOff(refusal: Refusal): void {
    if (needsToken(refusal.code)) return this.#connection.refused(refusal);
    if (this.#pause) return;
    // Everything waits, not only the one that was refused: what was asked later shall not overtake it.
    const delay = refusal.delay ?? backoff(this.#refusals++, this.#options.backoff);
    this.#pause = setTimeout(() => {
      this.#resume();
      this.opened();
    }, delay);
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }
}
