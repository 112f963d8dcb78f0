import { describe, expect, test } from "vitest";
import { cleanName, hueCount, hueOf, initials, maxNameLength, suggestName } from "../src/model/person";

test.each([
  ["Ada Lovelace", "AL"],
  ["ada", "A"],
  ["joana.r", "JR"],
  ["Ada King Noel", "AN"],
  ["🦊 fox", "🦊F"],
  ["", "?"],
])("initials of %j are %j", (name, letters) => expect(initials(name)).toBe(letters));

describe("cleanName", () => {
  test("puts a name on one line", () => expect(cleanName(" a\n\tb\u202e\u0007 c ")).toBe("a b c"));
  test("bounds it without cutting a sign in two", () =>
    expect(cleanName("🦊".repeat(99))).toBe("🦊".repeat(maxNameLength)));
});

test("a colour is one of those that there are, and always the same", () => {
  for (const text of ["", "a", "Zoë", "x".repeat(9999)]) {
    expect(hueOf(text)).toBe(hueOf(text));
    expect(hueOf(text)).toBeGreaterThanOrEqual(0);
    expect(hueOf(text)).toBeLessThan(hueCount);
  }
});

test("suggested names are whole at both ends of chance", () => {
  expect(suggestName(() => 0)).toBe("Amber Badger");
  expect(suggestName(() => 0.999999)).toBe("Swift Wren");
});
