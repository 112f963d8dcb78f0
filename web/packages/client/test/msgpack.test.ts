import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pack } from "../src/msgpack/pack.js";
import { unpack } from "../src/msgpack/unpack.js";

/** A frame in both encodings: see testdata/protocol/README.md. */
interface Case {
  name: string;
  direction: string;
  json?: string;
  msgpack: string;
  way?: "both" | "from json" | "to json";
  error?: string;
}

const file = new URL("../../../../testdata/protocol/msgpack/frames.json", import.meta.url);
const cases: Case[] = JSON.parse(readFileSync(file, "utf8"));
const bytesOf = ({ msgpack }: Case) => Uint8Array.from(Buffer.from(msgpack, "hex"));
const valid = cases.filter((c) => !c.error);

// What JavaScript's own numbers and objects do not keep.
const notKept =
  /the integer -?\d{16,}|9007199254740993|4294967296|float without a fraction|duplicate keys|minus zero|an exponent/;
const refusedByTheServerOnly = /^(base64|bytes where text belongs|a field that is not known)$/;

describe("MessagePack", () => {
  it("has cases to test", () => expect(valid.length).toBeGreaterThan(50));

  it.each(valid.filter((c) => c.way !== "from json"))("is read as JSON: $name", (c) => {
    expect(JSON.parse(unpack(bytesOf(c)))).toEqual(JSON.parse(c.json ?? ""));
  });

  const written = valid.filter(
    (c) => c.direction === "client" && c.way !== "to json" && !notKept.test(c.name),
  );

  it.each(written)("is written: $name", (c) => {
    expect(Buffer.from(pack(c.json ?? "")).toString("hex")).toBe(c.msgpack);
  });

  it.each(valid)("is read as what was written: $name", (c) => {
    expect(JSON.parse(unpack(pack(c.json ?? "")))).toEqual(
      JSON.parse((c.json ?? "").replace("\\ud800b", "\ufffdb")),
    );
  });

  it.each(cases.filter((c) => c.error && !refusedByTheServerOnly.test(c.name)))("is refused: $name", (c) => {
    if (c.name.includes("infinity")) expect(unpack(bytesOf(c))).toContain("1e999");
    else expect(() => unpack(bytesOf(c))).toThrow();
  });

  it("is cut off anywhere without harm", () => {
    for (const c of valid)
      for (let n = 0; n < bytesOf(c).length; n++) expect(() => unpack(bytesOf(c).subarray(0, n))).toThrow();
  });
});
