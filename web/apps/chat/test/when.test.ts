import { describe, expect, test } from "vitest";
import { secondsLeft } from "../src/model/link";
import { day, untilMidnight } from "../src/model/when";

const now = new Date(2024, 4, 17, 12).getTime();

describe("day", () => {
  test.each([
    [new Date(2024, 4, 17, 0, 0), "Today"],
    [new Date(2024, 4, 17, 23, 59), "Today"],
    [new Date(2024, 4, 16, 23, 59), "Yesterday"],
    [new Date(2024, 4, 13, 8), "Monday, May 13"],
    [new Date(2023, 0, 2, 8), "January 2, 2023"],
    [new Date(2024, 4, 18, 8), "May 18, 2024"],
  ])("%s is %s", (time, name) => expect(day(time.getTime(), now)).toBe(name));

  test("is yesterday across a change of the clocks, where a day has 23 or 25 hours", () => {
    for (const [from, to] of [
      [new Date(2024, 2, 30, 12), new Date(2024, 2, 31, 12)],
      [new Date(2024, 9, 26, 12), new Date(2024, 9, 27, 12)],
    ] as const) {
      expect(day(from.getTime(), to.getTime())).toBe("Yesterday");
    }
  });
});

test("midnight is less than a day and some minutes away", () => {
  expect(untilMidnight(now)).toBe(12 * 3_600_000);
  expect(untilMidnight(new Date(2024, 4, 17, 23, 59, 59).getTime())).toBe(1000);
});

test("a countdown never says zero", () => {
  expect([secondsLeft(5000, 1), secondsLeft(5000, 4001), secondsLeft(5000, 9000)]).toEqual([5, 1, 1]);
});
