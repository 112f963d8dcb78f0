import { expect, test } from "vitest";
import { badge, unread } from "../src/model/unread";
import { me, message, offsets, run } from "./make";

test("unread is what others wrote after an offset, and nothing before that is known", () => {
  const messages = [...run(1, 3), message(4, { from: me }), message(5)];
  expect(offsets(unread(messages, 2, me.id))).toEqual([3, 5]);
  expect(offsets(unread(messages, 0, me.id))).toEqual([1, 2, 3, 5]);
  expect(unread(messages, undefined, me.id)).toEqual([]);
});

test("a badge stays small", () => {
  expect([1, 99, 100].map(badge)).toEqual(["1", "99", "99+"]);
});
