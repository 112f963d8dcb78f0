import { expect, test } from "vitest";
import { headcount, meFirst, writingText } from "../src/model/company";

const person = (id: string) => ({ id, name: id, hue: 0 });

test("puts oneself first", () => {
  const people = ["a", "b", "c"].map(person);
  expect(meFirst(people, "b").map(({ id }) => id)).toEqual(["b", "a", "c"]);
  expect(meFirst(people, "nobody")).toEqual(people);
});

test("counts", () => {
  expect([1, 2, 10].map((count) => headcount(count).join(""))).toEqual([
    "1 person here",
    "2 people here",
    "10 people here",
  ]);
});

test.each([
  [[], ""],
  [["Ada"], "Ada is typing…"],
  [["Ada", "Grace"], "Ada and Grace are typing…"],
  [["Ada", "Grace", "Noor"], "Ada, Grace and Noor are typing…"],
  [["Ada", "Grace", "Noor", "Linus"], "Several people are typing…"],
])("%j: %s", (names, text) => {
  expect(writingText(names)).toBe(text);
});
