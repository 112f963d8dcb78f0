import { setImmediate } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Client, connect, type Publication, type SubscribeOptions } from "../src/index.js";
import { type Place, parsePlace, randomFrom, Simulation } from "./simulation.js";

const channel = "log:a";

/** One reader and everything it was told. */
class Reader {
  readonly heard: (Place | "reset")[] = [];
  /** The newest offset when it subscribed. */
  readonly topThen: number;
  failure: unknown;
  #turns = 0;
  #wake = () => {};

  constructor(
    es: Client,
    readonly options: SubscribeOptions,
    simulation: Simulation,
  ) {
    this.topThen = simulation.log(channel).top;
    const sub = es.channel(channel).subscribe({ ...options, onReset: () => void this.heard.push("reset") });
    void this.#run(sub[Symbol.asyncIterator]()).catch((error) => {
      this.failure = error;
    });
  }

  /** The offsets of what it got. */
  get numbers(): number[] {
    return this.heard.flatMap((each) => (each === "reset" ? [] : [each.off]));
  }

  /** Lets the consumer take up to `count` more. */
  read(count: number): void {
    this.#turns += count;
    this.#wake();
  }

  async #run(from: AsyncIterator<Publication>): Promise<void> {
    for (;;) {
      while (!this.#turns) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#turns--;
      const { done, value } = await from.next();
      if (done) return;
      expect(parsePlace(value.position).off).toBe(value.offset);
      this.heard.push(parsePlace(value.position));
    }
  }

  /** No gap and no repeat but where a reset was told. */
  check(): void {
    expect(this.failure).toBeUndefined();
    this.heard.forEach((each, i) => {
      const before = this.heard[i - 1];
      if (each === "reset" || before === undefined || before === "reset") return;
      expect(each).toEqual({ epoch: before.epoch, off: before.off + 1 });
    });
  }
}

interface Run {
  simulation: Simulation;
  readers: Reader[];
  es: Client;
  published: Promise<unknown>[];
}

const starts: SubscribeOptions[] = [{ since: "1.0" }, {}, { last: 3 }, { last: 30 }];

/** What may happen at a step, other than that frames move. */
const happenings: Record<string, (run: Run, choose: (below: number) => number) => void> = {
  commit: ({ simulation }, choose) => {
    for (let n = choose(4); n >= 0; n--) simulation.log(channel).append("server");
  },
  publish: ({ es, published }) => {
    published.push(es.channel(channel).publish({ client: published.length }));
  },
  read: ({ readers }, choose) => readers[choose(readers.length || 1)]?.read(choose(8)),
  cut: ({ simulation }) => simulation.cut(),
  subscribe: ({ es, simulation, readers }, choose) => {
    if (readers.length >= 5) return;
    const queue = { count: 2 + choose(8) };
    readers.push(new Reader(es, { ...starts[choose(starts.length)], queue }, simulation));
  },
};

const often = ["commit", "publish", "read"];

/** Runs a client against the simulation with every choice drawn from `seed`, and then lets everything come to rest. */
async function play(seed: number, extra: typeof happenings = {}): Promise<Run> {
  const choose = randomFrom(seed);
  const simulation = new Simulation();
  const es = connect("http://simulated", {
    webSocket: simulation.webSocket,
    backoff: { min: 0, max: 0 },
    publishRetry: 3600_000,
    closeTimeout: 0,
  });
  onTestFinished(() => es.close());
  const run: Run = { simulation, readers: [], es, published: [] };
  const all = { ...happenings, ...extra };
  const names = Object.keys(all);
  for (let i = 0; i < 400; i++) {
    const name = names[choose(names.length)] ?? "";
    if (choose(3) === 0 && (often.includes(name) || choose(8) === 0)) all[name]?.(run, choose);
    else simulation.step(choose);
    if (choose(2)) await setImmediate();
  }
  await rest(run, choose);
  await Promise.all(run.published);
  return run;
}

/** Until every reader is at the top and nothing moves. */
async function rest({ simulation, readers }: Run, choose: (below: number) => number): Promise<void> {
  for (const reader of readers) reader.read(1_000_000);
  for (let still = 0; still < 20; ) {
    still = simulation.step(choose) || !simulation.line ? 0 : still + 1;
    await setImmediate();
  }
}

const seeds = Array.from({ length: Number(process.env.SIMULATIONS ?? 100) }, (_, i) => i + 1);

describe("whatever the order of frames, reads and cuts", () => {
  test.each(seeds)(
    "a log that keeps everything is read without a gap, a repeat or a reset (%i)",
    async (seed) => {
      const { simulation, readers, published } = await play(seed);
      const log = simulation.log(channel);
      for (const reader of readers) {
        reader.check();
        expect(reader.heard).not.toContain("reset");
        const { since, last = 0 } = reader.options;
        const first = reader.numbers[0] ?? log.top + 1;
        if (since) expect(first).toBe(1);
        else expect(first).toBeGreaterThan(reader.topThen - last);
        if (reader.numbers.length) expect(reader.numbers.at(-1)).toBe(log.top);
      }
      const own = log.entries
        .filter(({ data }) => data !== "server")
        .map(({ data }) => (data as { client: number }).client);
      expect(own).toEqual(published.map((_, i) => i));
    },
  );

  test.each(seeds)("a log that forgets tells of every gap (%i)", async (seed) => {
    const { simulation, readers } = await play(seed, {
      evict: ({ simulation }, choose) => simulation.log(channel).evict(choose(6)),
    });
    for (const reader of readers) {
      reader.check();
      const last = reader.heard.at(-1);
      if (last && last !== "reset") expect(last.off).toBe(simulation.log(channel).top);
    }
  });

  test.each(seeds)("a log that begins anew tells of it (%i)", async (seed) => {
    const { readers } = await play(seed, {
      evict: ({ simulation }, choose) => simulation.log(channel).evict(choose(6)),
      restart: ({ simulation }) => simulation.log(channel).restart(),
    });
    for (const reader of readers) reader.check();
  });
});
