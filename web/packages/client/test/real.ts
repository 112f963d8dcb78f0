import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const repository = new URL("../../../../", import.meta.url).pathname;

/** Builds the program and returns a folder with it, for servers to keep their data in too. */
export function buildProgram(): string {
  const folder = mkdtempSync(join(tmpdir(), "earshot-client-"));
  execFileSync("go", ["build", "-buildvcs=false", "-o", join(folder, "earshot"), "./cmd/earshot"], {
    cwd: repository,
    stdio: "inherit",
  });
  return folder;
}

/** The real server as a process that can be killed and started again on the same port with the same data. */
export class RealServer {
  readonly #folder: string;
  readonly #data: string;
  readonly #command: string[];
  #process: ChildProcess | undefined;
  #address = "127.0.0.1:0";
  url = "";

  /** A server where everybody may do everything, or the demo, whose tokens make users. */
  constructor(folder: string, command: "serve" | "demo" = "serve") {
    this.#folder = folder;
    this.#command = command === "serve" ? ["serve", "--insecure-open"] : ["demo"];
    this.#data = mkdtempSync(join(folder, "data-"));
  }

  /** Starts the server and waits until it listens. */
  async start(): Promise<this> {
    const args = [...this.#command, "--addr", this.#address, "--data", this.#data];
    const child = spawn(join(this.#folder, "earshot"), args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    let errors = "";
    child.stderr?.on("data", (text) => (errors += text));
    for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })) {
      const [, url] = /^listening on (http:\S+)$/.exec(line) ?? [];
      if (!url) continue;
      this.url = url;
      this.#address = new URL(url).host;
      child.stdout?.resume();
      return this;
    }
    throw new Error(`the server did not start:\n${errors}`);
  }

  /** Sends the signal and waits until the process is gone. */
  async stop(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
