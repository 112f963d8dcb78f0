import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inject } from "vitest";

/** `earshot demo`: the real program, as its own process, with its data in a folder of its own. */
export class Program {
  private readonly folder = mkdtempSync(join(tmpdir(), "earshot-e2e-"));
  private process: ChildProcess | undefined;
  private address = "127.0.0.1:0";

  /** Starts the program, with nothing kept yet, on a free port. */
  static async start(): Promise<Program> {
    const program = new Program();
    await program.start();
    return program;
  }

  private constructor() {}

  /** Where the page is. The same after a restart. */
  get url(): string {
    return `http://${this.address}`;
  }

  /** Starts the program again where it was. */
  async start(): Promise<void> {
    const args = ["demo", "--addr", this.address, "--data", this.folder];
    const child = spawn(inject("binary"), args, { stdio: ["ignore", "pipe", "inherit"] });
    this.process = child;
    this.address = await listening(child);
  }

  /** Kills the process as `kill -9` does, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** Ends the program and removes what it kept. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }
}

/** Waits for the line that names the address. */
async function listening(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the program has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /listening on http:\/\/(\S+)/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`the program ended with ${child.exitCode} before it listened`);
}
