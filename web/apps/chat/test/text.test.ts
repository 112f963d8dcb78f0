import { describe, expect, test } from "vitest";
import { isEmojiOnly, pieces } from "../src/model/text";

/** Writes pieces down, with links in angle brackets. */
function written(text: string): string {
  return pieces(text)
    .map((piece) => (piece.kind === "link" ? `<${piece.text}>` : piece.text))
    .join("");
}

describe("pieces", () => {
  test.each([
    ["no link", "no link"],
    ["see https://example.com/a?b=c#d.", "see <https://example.com/a?b=c#d>."],
    ["(http://example.com)", "(<http://example.com>)"],
    ["https://en.example.org/wiki/A_(b)", "<https://en.example.org/wiki/A_(b)>"],
    ["https://a.example, https://b.example!", "<https://a.example>, <https://b.example>!"],
    ["https://", "https://"],
    [
      "javascript:alert(1) data:text/html,x ftp://x.example",
      "javascript:alert(1) data:text/html,x ftp://x.example",
    ],
    ["xhttps://example.com", "xhttps://example.com"],
    ['https://example.com/"onclick=x', '<https://example.com/>"onclick=x'],
  ])("%s", (text, expected) => {
    expect(written(text)).toBe(expected);
  });

  test("loses nothing of the text", () => {
    const text = "a https://example.com/x) b\nhttp://[bad c";
    expect(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(text);
  });

  test("links only to the web", () => {
    const hrefs = pieces("HTTPS://EXAMPLE.com http://b.example").flatMap((piece) =>
      piece.kind === "link" ? [piece.href] : [],
    );
    expect(hrefs).toEqual(["https://example.com/", "http://b.example/"]);
  });

  test("is quick with long hostile text", () => {
    expect(pieces(`https://${"a.)".repeat(20_000)}`).length).toBeGreaterThan(0);
    expect(written(`https://a${")".repeat(60_000)}`)).toMatch(/^<https:\/\/a>\)/);
    expect(pieces("http://".repeat(9_000)).length).toBeGreaterThan(0);
  });
});

describe("isEmojiOnly", () => {
  test.each(["🎉", "👍🏽", "👩‍👩‍👧", "🇩🇪 🇫🇷", "❤️", " 😀😀😀 "])("%s", (text) =>
    expect(isEmojiOnly(text)).toBe(true),
  );
  test.each(["", "12", "#", "🎉 x", "😀😀😀😀", "a"])("not %j", (text) =>
    expect(isEmojiOnly(text)).toBe(false),
  );
});
