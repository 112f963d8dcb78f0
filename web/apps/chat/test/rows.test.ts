import { describe, expect, test } from "vitest";
import { entries, groupGapMS, type Row, rows } from "../src/model/rows";
import { ada, me, message } from "./make";

const noon = new Date(2024, 4, 17, 12).getTime();

/** Writes rows down: a day as |, the unread line as *, a group as its texts. */
function written(out: Row[]): string[] {
  return out.map((row) => {
    if (row.kind === "group") return row.messages.map(({ text }) => text).join("+");
    return row.kind === "day" ? "|" : "*";
  });
}

function at(minutes: number, offset: number, from = ada) {
  return message(offset, { time: noon + minutes * 60_000, from });
}

describe("rows", () => {
  test("groups what one author wrote in a row", () => {
    const all = entries([at(0, 1), at(1, 2), at(2, 3, me), at(3, 4)], me.id);
    expect(written(rows(all, me.id, undefined))).toEqual(["|", "1+2", "3", "4"]);
  });

  test("begins a new group after a pause, and when the author took another name or colour", () => {
    const pause = groupGapMS / 60_000;
    const all = entries(
      [at(0, 1), at(pause - 1, 2), at(2 * pause, 3), at(2 * pause, 4, { ...ada, name: "Ada L." })],
      me.id,
    );
    expect(written(rows(all, me.id, undefined))).toEqual(["|", "1+2", "3", "4"]);
  });

  test("begins each day of the reader's time zone with a row, also in the middle of a group", () => {
    const midnight = 12 * 60;
    const all = entries([at(midnight - 1, 1), at(midnight + 1, 2), at(midnight + 2, 3)], me.id);
    expect(written(rows(all, me.id, undefined))).toEqual(["|", "1", "|", "2+3"]);
  });

  test("puts the unread line before the first unread message, also in the middle of a group", () => {
    const all = entries([at(0, 1), at(1, 2), at(2, 3)], me.id);
    expect(written(rows(all, me.id, "#2"))).toEqual(["|", "1", "*", "2+3"]);
  });

  test("has nothing for nothing", () => {
    expect(rows([], me.id, undefined)).toEqual([]);
  });
});

describe("entries", () => {
  test("gives an own message the key that it had on its way", () => {
    const [mine, others] = entries([message(1, { from: me, id: "abc" }), message(2, { id: "abc" })], me.id);
    expect(mine?.key).toBe("abc");
    expect(others?.key).toBe("#2");
  });

  test("has unique keys even for ids that come twice", () => {
    const keys = entries(
      [1, 2].map((offset) => message(offset, { from: me, id: "same" })),
      me.id,
    ).map(({ key }) => key);
    expect(new Set(keys).size).toBe(2);
  });

  test("makes keys of rows unique", () => {
    const all = entries([at(0, 1), at(1, 2, me), at(24 * 60, 3), at(24 * 60 + 1, 4, me)], me.id);
    const keys = rows(all, me.id, "#3").map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
