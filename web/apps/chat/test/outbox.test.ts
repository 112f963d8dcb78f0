import { expect, test } from "vitest";
import { add, again, arrived, failed, type Outbox, resumed, sent } from "../src/model/outbox";
import { me } from "./make";

const two: Outbox = add(add([], { id: "a", from: me, text: "one", time: 1 }), {
  id: "b",
  from: me,
  text: "two",
  time: 2,
});
const states = (outbox: Outbox) => outbox.map(({ id, state }) => `${id} ${state}`);

test("messages keep their order through all their states", () => {
  expect(states(two)).toEqual(["a sending", "b sending"]);
  const after = failed(sent(two, "b"), "a", "why");
  expect(states(after)).toEqual(["a failed", "b sent"]);
  expect(after[0]?.error).toBe("why");
  expect(again(after, "a")[0]).toMatchObject({ state: "sending", error: "" });
});

test("those that arrived leave, and a late answer brings none back", () => {
  const left = arrived(two, new Set(["a", "unknown"]));
  expect(states(sent(left, "a"))).toEqual(["b sending"]);
  expect(arrived(two, new Set())).toBe(two);
});

test("what was on the way when the page was closed is sent again while the server knows its id", () => {
  const minutes = 60_000;
  const failedOnce = failed(two, "a", "why");
  expect(states(resumed(failedOnce, 3 * minutes))).toEqual(["a sending", "b sending"]);
  expect(states(resumed(failedOnce, 5 * minutes))).toEqual(["a failed", "b failed"]);
});
