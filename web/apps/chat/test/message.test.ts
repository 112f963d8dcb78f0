import { describe, expect, test } from "vitest";
import { readMessage } from "../src/model/message";
import { isUser } from "../src/model/person";
import { received } from "./make";

const read = (data: unknown, user = "") => readMessage({ ...received(7, data), user });

describe("readMessage", () => {
  test("reads what this app writes", () => {
    const from = { id: "x", name: "Grace", hue: 3 };
    expect(read({ id: "m1", from, text: "hello" }, "x")).toEqual({
      offset: 7,
      position: "p7",
      time: 7000,
      id: "m1",
      from,
      text: "hello",
    });
  });

  test.each([
    ["hello", "hello"],
    [{ text: "hello" }, "hello"],
    [{ text: 7 }, '{"text":7}'],
    [["a", 1], '["a",1]'],
    [12.5, "12.5"],
    [null, "null"],
    [new Uint8Array(3), "3 bytes"],
  ])("shows %j of another program as text", (data, text) => {
    expect(read(data).text).toBe(text);
  });

  test.each([
    [{ text: "x", from: 5 }],
    [{ text: "x", from: { name: "\u202e\n" } }],
    [{ text: "x", from: null }],
    ["x"],
  ])("calls the author of %j a guest", (data) => {
    expect(read(data).from.name).toBe("Guest");
  });

  test("takes the name from a plain author, or from the identity that the server knows", () => {
    expect(read({ text: "x", from: "Grace" }).from.name).toBe("Grace");
    expect(read({ text: "x" }, "grace@example.com").from.name).toBe("grace@example.com");
  });

  test("believes the server, and not the message, who wrote it", () => {
    const from = { id: "victim", name: "Grace", hue: 3 };
    expect(read({ from, text: "x" }, "mallory").from.id).toBe("mallory");
    const unknown = read({ from, text: "x" }).from.id;
    expect(unknown).not.toBe("victim");
    expect(isUser(unknown)).toBe(false);
    expect(isUser(read({ from: "Grace", text: "x" }).from.id)).toBe(false);
  });

  test("bounds and cleans what others may have written into the author", () => {
    const { from, id } = read({
      id: "i".repeat(65),
      text: "x",
      from: { id: "a".repeat(999), name: ` a\u0000\n${"b".repeat(99)}`, hue: -1e9 },
    });
    expect(id).toBe("");
    expect(from.id).toHaveLength(65);
    expect(from.name).toBe(`a ${"b".repeat(30)}`);
    expect(from.hue).toBeGreaterThanOrEqual(0);
    expect(from.hue).toBeLessThan(10);
  });
});
