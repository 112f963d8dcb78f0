import { ClientCode, EarshotError } from "./errors.js";

/** A token, or a callback that is asked for one before each attempt to connect, and before one expires. */
export type Token = string | (() => string | Promise<string>);

/** Gives the token for an attempt, and knows whether a refusal is final. */
export class TokenSource {
  readonly #token: Token | undefined;
  #askedAgain = false;

  constructor(token: Token | undefined) {
    this.#token = token;
  }

  /** Whether there may be a fresh token. */
  get renews(): boolean {
    return typeof this.#token === "function";
  }

  async next(): Promise<string | undefined> {
    if (typeof this.#token !== "function") return this.#token;
    try {
      return await this.#token();
    } catch (error) {
      throw new EarshotError(ClientCode.tokenFailed, `the token callback failed: ${String(error)}`);
    }
  }

  /** The server refused the token. Reports whether a fresh one may be tried: once, and only if there is a callback. */
  refused(): boolean {
    if (!this.renews || this.#askedAgain) return false;
    this.#askedAgain = true;
    return true;
  }

  /** The token served well for a while: the next refusal is a new matter. */
  accepted(): void {
    this.#askedAgain = false;
  }
}
