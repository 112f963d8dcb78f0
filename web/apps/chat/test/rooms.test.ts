import { describe, expect, test } from "vitest";
import {
  linkTo,
  nameOf,
  peerOf,
  placeOf,
  placeOfHash,
  readyRooms,
  roomList,
  roomName,
  titleOf,
} from "../src/model/rooms";

const user = "0123456789abcdef0123";

describe("roomName", () => {
  test.each([
    ["Tea Kitchen", "tea-kitchen"],
    ["  #Lobby ", "lobby"],
    ["a / b\n#c", "a-b-c"],
    ["Über", "über"],
    ["日本語", "日本語"],
    ["\u202eevil\u0000", "evil"],
    ["---", ""],
    ["", ""],
    ["x".repeat(99), "x".repeat(40)],
  ])("%j is %j", (text, name) => expect(roomName(text)).toBe(name));

  test("fits into a channel's name, whatever was typed", () => {
    const name = roomName("👩‍👩‍👧‍👦".repeat(50));
    expect(new TextEncoder().encode(`chat:${name}`).length).toBeLessThanOrEqual(255);
  });
});

describe("links", () => {
  test.each(["lobby", "über", "a&b=c%", "日本語"])("to %s lead back to it", (name) =>
    expect(placeOfHash(linkTo(name))).toBe(name),
  );
  test.each([
    ["#/lobby", "lobby"],
    ["#lobby", "lobby"],
    ["#chat:help", "help"],
    ["", ""],
    ["#/%E0%A4%A", ""],
    ["#/@nobody", "nobody"],
  ])("%j names %j", (hash, name) => expect(placeOfHash(hash)).toBe(name));

  test("to a conversation lead back to it, and no room can have its name", () => {
    const place = placeOf(user);
    expect(placeOfHash(linkTo(place))).toBe(place);
    expect(peerOf(place)).toBe(user);
    expect(peerOf(roomName(place))).toBeUndefined();
  });
});

test("the list has the ready rooms first and each room once", () => {
  const names = roomList(["tea", "lobby"]).map(({ name }) => name);
  expect(names).toEqual([...readyRooms.map(({ name }) => name), "tea"]);
});

test("the title counts what is unread", () => {
  expect(titleOf(nameOf("lobby", undefined), 0)).toBe("#lobby · Earshot");
  expect(titleOf("#lobby", 3)).toBe("(3) #lobby · Earshot");
  expect(titleOf(nameOf(placeOf(user), { name: "Grace" }), 1000)).toBe("(99+) Grace · Earshot");
});
