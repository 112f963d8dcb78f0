import { describe, expect, test } from "vitest";
import {
  type Arrived,
  lettersWith,
  type Mail,
  newestLetters,
  notesOf,
  progress,
  readMail,
  readTo,
  unreadByPeer,
} from "../src/model/mail";
import { received } from "./make";

/**
 * Makes an inbox of a line of words, each at the next offset: a letter of bob is `bob`, one to bob `>bob`, and a note that
 * his letters were read up to an offset `bob:3`.
 */
function inbox(line: string): Mail[] {
  return line.split(" ").map((word, i) => readMail(arrived(i + 1, word)));
}

function arrived(offset: number, word: string): Arrived {
  const [peer = "", upTo] = word.replace(">", "").split(":");
  const note = upTo !== undefined;
  const data = note ? { peer, upTo: Number(upTo) } : "hello";
  const mine = note || word.startsWith(">");
  return { ...received(offset, data), event: note ? "read" : "message", peer, mine };
}

const none = new Map<string, number>();

describe("unread letters", () => {
  const count = (line: string, cursor: number) => {
    const mail = inbox(line);
    return Object.fromEntries(unreadByPeer(mail, cursor, notesOf(mail, none)));
  };

  test("are those of others after the cursor", () => {
    expect(count("bob >bob eve bob eve", 0)).toEqual({ bob: 2, eve: 2 });
    expect(count("bob >bob eve bob eve", 3)).toEqual({ bob: 1, eve: 1 });
    expect(count("bob >bob eve", 3)).toEqual({});
  });

  test("are not those that a note says were read", () => {
    expect(count("eve bob bob bob:3", 0)).toEqual({ eve: 1 });
    expect(count("eve bob bob:2 bob", 0)).toEqual({ eve: 1, bob: 1 });
    expect(count("eve bob bob bob:3 bob:2", 0)).toEqual({ eve: 1 });
  });

  test("are not changed by what somebody else wrote that looks like a note", () => {
    const forged = readMail({ ...arrived(3, "bob:2"), mine: false, peer: "mallory" });
    expect(forged.kind).toBe("other");
    expect(notesOf([...inbox("eve bob"), forged], none)).toEqual(none);
  });
});

describe("reading", () => {
  const after = (line: string, cursor: number, upTo: number) => {
    const mail = inbox(line);
    const { cursor: to, note } = progress(mail, cursor, notesOf(mail, none), { peer: "bob", upTo });
    return [to?.offset, note];
  };

  test.each([
    ["the only conversation moves the cursor to the end", "bob bob", 0, 2, [2, undefined]],
    ["with others read already, too", "eve bob >eve bob", 1, 4, [4, undefined]],
    ["what is before another's letter moves the cursor up to that", "bob bob eve", 0, 2, [2, undefined]],
    ["what is after another's letter needs a note", "eve bob", 0, 2, [undefined, 2]],
    ["or both", "bob eve bob", 0, 3, [1, 3]],
    ["a part of it leaves the rest", "bob bob eve", 0, 1, [1, undefined]],
    ["what was read already says nothing", "bob eve bob bob:3", 1, 3, [undefined, undefined]],
    ["what was read by the cursor says nothing", "bob", 1, 1, [undefined, undefined]],
    ["own letters needs nothing but the cursor", "eve >bob", 0, 2, [undefined, undefined]],
    ["the last unread one takes the cursor over all notes", "bob eve eve:2 bob", 0, 4, [4, undefined]],
  ] as const)("%s", (_, line, cursor, upTo, want) => expect(after(line, cursor, upTo)).toEqual(want));

  test("goes as far as the cursor or the note says", () => {
    expect(readTo(4, new Map([["bob", 7]]), "bob")).toBe(7);
    expect(readTo(4, new Map([["bob", 2]]), "bob")).toBe(4);
    expect(readTo(4, none, "bob")).toBe(4);
  });
});

test("conversations are listed by their newest letter, and have their letters alone", () => {
  const mail = inbox("bob eve bob:1 >bob zoe eve");
  expect(newestLetters(mail).map(({ peer, offset }) => `${peer} ${offset}`)).toEqual([
    "eve 6",
    "zoe 5",
    "bob 4",
  ]);
  expect(lettersWith(mail, "bob").map(({ offset, mine }) => [offset, mine])).toEqual([
    [1, false],
    [4, true],
  ]);
});

test("a letter of nobody is none", () => {
  expect(readMail(arrived(1, "")).kind).toBe("other");
});
