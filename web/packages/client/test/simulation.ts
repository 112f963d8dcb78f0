import type { WebSocketConstructor } from "../src/index.js";

/** Pseudo-random numbers from a seed (mulberry32), so that a failure can be repeated. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Entry {
  readonly off: number;
  readonly data: unknown;
}

/** Where a reader is. */
export interface Place {
  epoch: number;
  off: number;
}

const text = ({ epoch, off }: Place) => `${epoch}.${off}`;
/** Reads the text of a position: here, unlike that of a real server, it is not opaque. */
export const parsePlace = (position: string): Place => {
  const [epoch = 0, off = 0] = position.split(".").map(Number);
  return { epoch, off };
};

/** A log as the server keeps it: epochs, consecutive offsets, retention, idempotency ids. */
export class SimulatedLog {
  epoch = 1;
  top = 0;
  entries: Entry[] = [];
  readonly ids = new Map<string, number>();

  get first(): number {
    return this.top - this.entries.length + 1;
  }

  append(data: unknown): number {
    this.entries.push({ off: ++this.top, data });
    return this.top;
  }

  /** Retention drops all but the newest `keep`. */
  evict(keep: number): void {
    this.entries = keep ? this.entries.slice(-keep) : [];
  }

  /** The log begins anew. */
  restart(): void {
    this.epoch++;
    this.top = 0;
    this.entries = [];
    this.ids.clear();
  }

  at(off: number): Entry | undefined {
    return this.entries[off - this.first];
  }

  /** Whether a reader can go on after `place`; else why not. */
  lost(place: Place): "epoch" | "evicted" | undefined {
    if (place.epoch !== this.epoch || place.off > this.top) return "epoch";
    return place.off < this.first - 1 ? "evicted" : undefined;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: frames are whatever the client says.
type Frame = any;

/** One connection: frames wait in both directions until the simulation moves them. */
class Line {
  readonly toServer: string[] = [];
  readonly toClient: string[] = [];
  readonly subs = new Map<string, Place>();
  /** Answers that are ready and overtaken by other frames. */
  readonly late: object[] = [];
  isOpen = false;
  constructor(readonly socket: SimulatedSocket) {}
}

interface SimulatedSocket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

/** A server in memory, every step of which is chosen by the test: what it reads, what it sends, when links break. */
export class Simulation {
  readonly logs = new Map<string, SimulatedLog>();
  readonly webSocket: WebSocketConstructor;
  line: Line | undefined;

  constructor() {
    const simulation = this;
    this.webSocket = class implements SimulatedSocket {
      onopen: SimulatedSocket["onopen"] = null;
      onmessage: SimulatedSocket["onmessage"] = null;
      onclose: SimulatedSocket["onclose"] = null;
      onerror = null;
      readonly #line = new Line(this);
      constructor() {
        simulation.line = this.#line;
      }
      send(frame: string) {
        this.#line.toServer.push(frame);
      }
      close() {
        if (simulation.line === this.#line) simulation.line = undefined;
        queueMicrotask(() => this.onclose?.({ code: 1000, reason: "" }));
      }
    };
  }

  log(channel: string): SimulatedLog {
    const log = this.logs.get(channel) ?? new SimulatedLog();
    this.logs.set(channel, log);
    return log;
  }

  /** Breaks the link. What is on its way is lost in both directions. */
  cut(): void {
    const line = this.line;
    this.line = undefined;
    line?.socket.onclose?.({ code: 1006, reason: "" });
  }

  /** Moves one thing by one step; `choose` says which. Reports whether there was anything to move. */
  step(choose: (below: number) => number): boolean {
    const line = this.line;
    if (!line) return false;
    if (!line.isOpen) {
      line.isOpen = true;
      line.socket.onopen?.();
      return true;
    }
    const moves: (() => void)[] = [];
    if (line.toServer.length) moves.push(() => this.#take(line, JSON.parse(line.toServer.shift() ?? "")));
    if (line.toClient.length)
      moves.push(() => line.socket.onmessage?.({ data: line.toClient.shift() ?? "" }));
    if (line.late.length) moves.push(() => this.#say(line, line.late.shift() ?? {}));
    for (const [channel, place] of line.subs) {
      if (place.epoch !== this.log(channel).epoch || place.off !== this.log(channel).top) {
        moves.push(() => this.#deliver(line, channel, place));
      }
    }
    moves[choose(moves.length || 1)]?.();
    return moves.length > 0;
  }

  #deliver(line: Line, ch: string, place: Place): void {
    const log = this.log(ch);
    const why = log.lost(place);
    if (why) {
      Object.assign(place, { epoch: log.epoch, off: log.top });
      return this.#say(line, { reset: { ch, pos: text(place), why } });
    }
    place.off++;
    this.#say(line, { pub: { ch, ...this.#publication(log, log.at(place.off)) } });
  }

  #take(line: Line, { id, ...frame }: Frame): void {
    if (frame.hello) this.#say(line, { id, welcome: { session: "s", resume: "r", heartbeat_ms: 25_000 } });
    else if (frame.sub) this.#subscribe(line, id, frame.sub);
    else if (frame.unsub) line.subs.delete(frame.unsub.ch);
    else if (frame.pub) this.#publish(line, id, frame.pub);
    else if (frame.history) line.late.push({ id, page: this.#page(frame.history) });
  }

  #subscribe(line: Line, id: number, { ch, since, last = 0 }: Frame): void {
    const log = this.log(ch);
    const place = since
      ? parsePlace(since)
      : { epoch: log.epoch, off: Math.max(log.first - 1, log.top - last) };
    line.subs.set(ch, place);
    this.#say(line, { id, subscribed: { ch, pos: text(place) } });
  }

  #publish(line: Line, id: number, { ch, idem, data }: Frame): void {
    const log = this.log(ch);
    const known = log.ids.get(idem);
    const off = known ?? log.append(data);
    log.ids.set(idem, off);
    this.#say(line, {
      id,
      published: { ch, off, pos: text({ epoch: log.epoch, off }), dup: known !== undefined },
    });
  }

  #page({ ch, since, before, limit = 50 }: Frame): object {
    const log = this.log(ch);
    const pos = text({ epoch: log.epoch, off: log.top });
    const named = since ?? before;
    const why = named && log.lost(parsePlace(named));
    if (why === "epoch") return { ch, pos };
    const end = before ? parsePlace(before).off - 1 : log.top;
    const from = since
      ? Math.max(parsePlace(since).off + 1, log.first)
      : Math.max(end - limit + 1, log.first);
    const found = log.entries.filter(({ off }) => off >= from && off <= end).slice(0, limit);
    const more = since ? from + found.length <= log.top : from > log.first;
    const complete = before ? parsePlace(before).off >= log.first : !why;
    return { ch, pubs: found.map((each) => this.#publication(log, each)), pos, complete, more };
  }

  #publication({ epoch }: SimulatedLog, { off = 0, data }: Partial<Entry> = {}): object {
    return { off, pos: text({ epoch, off }), data };
  }

  #say(line: Line, frame: object): void {
    line.toClient.push(JSON.stringify(frame));
  }
}
