import { describe, expect, test } from "vitest";
import {
  addNewer,
  addOlder,
  isLive,
  join,
  maxShown,
  maxTail,
  newest,
  receive,
  type Timeline,
  toNewest,
  unknown,
} from "../src/model/timeline";
import { message, offsets, run } from "./make";

const full: Timeline = { shown: run(1, maxShown), tail: [], older: false, cut: false };

/** Fails unless offsets are consecutive, which says that nothing is missing, doubled or out of order. */
function expectConsecutive(t: Timeline, first: number, last: number): void {
  expect(offsets(t.shown)).toEqual(offsets(run(first, last)));
}

describe("join", () => {
  test("orders by offset and keeps each offset once", () => {
    expect(offsets(join([message(3), message(1)], [message(2), message(3)]))).toEqual([1, 2, 3]);
  });

  test("keeps the later of two with one offset", () => {
    expect(join([message(1, { text: "old" })], [message(1, { text: "new" })])[0]?.text).toBe("new");
  });
});

describe("receive", () => {
  test("appends, and ignores what is there already", () => {
    const t = receive(receive(unknown, run(1, 3), true), run(2, 5), true);
    expectConsecutive(t, 1, 5);
  });

  test("drops the oldest while the reader follows the end", () => {
    const t = receive(full, run(maxShown + 1, maxShown + 3), true);
    expectConsecutive(t, 4, maxShown + 3);
    expect(t.older).toBe(true);
    expect(isLive(t)).toBe(true);
  });

  test("leaves the page as it is for a reader who is elsewhere, and knows the newest all the same", () => {
    let t = receive(full, [message(maxShown + 1)], false);
    t = receive(t, [message(maxShown + 2)], false);
    expectConsecutive(t, 1, maxShown);
    expect(isLive(t)).toBe(false);
    expect(newest(t)?.offset).toBe(maxShown + 2);
  });

  test("bounds the tail", () => {
    let t = receive(full, [message(maxShown + 1)], false);
    t = receive(t, run(maxShown + 2, maxShown + 5 * maxTail), false);
    expect(t.tail).toHaveLength(maxTail);
    expect(newest(t)?.offset).toBe(maxShown + 5 * maxTail);
  });
});

describe("paging", () => {
  test("puts an older page before, whatever of it is there already", () => {
    const t = addOlder({ ...unknown, shown: run(51, 100) }, run(1, 60), { more: false });
    expectConsecutive(t, 1, 100);
    expect(t).toMatchObject({ older: false, cut: false });
  });

  test("knows where the server dropped what came before", () => {
    expect(addOlder({ ...unknown, shown: run(51, 100) }, run(11, 50), { more: false })).toMatchObject({
      older: false,
      cut: true,
    });
    expect(addOlder({ ...unknown, shown: run(51, 100) }, [], { more: false })).toMatchObject({
      older: false,
      cut: true,
    });
    expect(addOlder(unknown, [], { more: false })).toMatchObject({ older: false, cut: false });
  });

  test("goes back to the first message and down again, within the bound, without a gap or a repeat", () => {
    const count = 3 * maxShown;
    let t = addOlder(unknown, run(count - 49, count), { more: true });
    while (t.older) {
      const first = t.shown[0]?.offset ?? 0;
      t = addOlder(t, run(Math.max(1, first - 50), first - 1), { more: first > 51 });
      expect(t.shown.length).toBeLessThanOrEqual(maxShown);
    }
    expectConsecutive(t, 1, maxShown);
    while (!isLive(t)) {
      const last = t.shown.at(-1)?.offset ?? 0;
      t = addNewer(t, run(last + 1, Math.min(count, last + 50)), { more: true });
      expect(t.shown.length).toBeLessThanOrEqual(maxShown);
    }
    expectConsecutive(t, count - maxShown + 1, count);
    expect(t.older).toBe(true);
  });

  test("joins what is published while it reads towards the end", () => {
    let t: Timeline = { shown: run(1, 100), tail: run(151, 200), older: false, cut: false };
    t = addNewer(t, run(101, 149), { more: false });
    expect(isLive(t)).toBe(false);
    t = receive(t, run(201, 210), false);
    t = addNewer(t, run(150, 150), { more: false });
    expect(isLive(t)).toBe(true);
    expectConsecutive(t, 1, 210);
  });

  test("of a conversation, whose offsets have gaps, its pages say where it begins and ends", () => {
    const every3rd = (first: number, last: number) =>
      run(first, last).filter(({ offset }) => offset % 3 === 0);
    const older = addOlder({ ...unknown, shown: every3rd(60, 90) }, every3rd(30, 59), {
      more: false,
      cut: false,
    });
    expect(older).toMatchObject({ older: false, cut: false });
    let t: Timeline = { ...older, tail: every3rd(120, 150) };
    t = addNewer(t, every3rd(91, 105), { more: true, cut: false });
    expect(isLive(t)).toBe(false);
    t = addNewer(t, every3rd(106, 150), { more: false, cut: false });
    expect(isLive(t)).toBe(true);
    expect(offsets(t.shown)).toEqual(offsets(every3rd(30, 150)));
  });

  test("jumps to the newest and reads back from there", () => {
    const t = toNewest({ shown: run(1, 100), tail: run(901, 1000), older: false, cut: true });
    expectConsecutive(t, 901, 1000);
    expect(t).toMatchObject({ older: true, cut: false });
    expectConsecutive(addOlder(t, run(851, 900), { more: true }), 851, 1000);
  });
});
