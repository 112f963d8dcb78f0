import { describe, expect, test } from "vitest";
import { badge, beforeAll, markOf, unread } from "../src/model/unread";
import { me, message, offsets, run } from "./make";

describe("unread", () => {
  test("is what others wrote after the mark", () => {
    const messages = [...run(1, 3), message(4, { from: me }), message(5)];
    expect(offsets(unread(messages, markOf(message(2)), me.id))).toEqual([3, 5]);
  });

  test("is everything after the mark of an empty room, and nothing without a mark", () => {
    expect(unread(run(1, 3), beforeAll, me.id)).toHaveLength(3);
    expect(unread(run(1, 3), undefined, me.id)).toHaveLength(0);
  });

  test("goes on when a log begins anew, with small offsets and later times", () => {
    expect(unread([message(1, { time: 90_000 })], { time: 80_000, offset: 80 }, me.id)).toHaveLength(1);
  });

  test("tells messages of one millisecond apart", () => {
    const same = [1, 2, 3].map((offset) => message(offset, { time: 5 }));
    expect(offsets(unread(same, { time: 5, offset: 1 }, me.id))).toEqual([2, 3]);
  });
});

test("a badge stays small", () => {
  expect([1, 99, 100].map(badge)).toEqual(["1", "99", "99+"]);
});
