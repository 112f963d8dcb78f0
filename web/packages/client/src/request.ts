import { utf8Length } from "./bytes.js";
import { abortReason, ClientCode, EarshotError } from "./errors.js";
import type { ClientFrames, ServerFrame, ServerFrames } from "./frames.js";

/** What is asked, how it is to be answered, and what calls it off. */
export interface Question<K extends keyof ServerFrames = keyof ServerFrames> {
  kind: keyof ClientFrames;
  /** JSON text. */
  body: string;
  wanted: K;
  signal?: AbortSignal | undefined;
}

/** A request that has no answer yet. */
export class Request {
  readonly bytes: number;
  /** Resolves with an answer of the wanted kind. Rejects with the signal's reason or an EarshotError. */
  readonly answer: Promise<ServerFrame>;
  /** It was sent on the link that is open now. */
  underWay = false;
  /** When it was first sent; 0 if never. */
  sentAt = 0;
  readonly question: Question;
  readonly #settled: () => void;
  #resolve!: (frame: ServerFrame) => void;
  #reject!: (error: unknown) => void;

  /** `settled` is called once, before `answer` settles. The signal must not have aborted yet. */
  constructor(question: Question, settled: () => void) {
    this.question = question;
    this.#settled = settled;
    this.bytes = utf8Length(question.body);
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    question.signal?.addEventListener("abort", this.#aborted);
  }

  answered(frame: ServerFrame): void {
    const { kind, wanted } = this.question;
    if (frame.kind !== wanted) {
      return this.fail(new EarshotError(ClientCode.badUse, `the server answered ${kind} with ${frame.kind}`));
    }
    this.#end();
    this.#resolve(frame);
  }

  fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  readonly #aborted = () => this.fail(abortReason(this.question.signal as AbortSignal));

  #end(): void {
    this.question.signal?.removeEventListener("abort", this.#aborted);
    this.#settled();
  }
}
