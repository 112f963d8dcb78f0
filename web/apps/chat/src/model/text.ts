/** A piece of a message: plain text or a link. Neither is ever markup. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string };

const address = /\bhttps?:\/\/[^\s<>"'`]+/giu;

/** Splits a message into plain text and web links. Only http and https become links. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(address)) {
    const link = trimLink(match[0]);
    const href = parse(link);
    if (href === undefined) continue;
    if (match.index > end) out.push({ kind: "text", text: text.slice(end, match.index) });
    out.push({ kind: "link", text: link, href });
    end = match.index + link.length;
  }
  if (end < text.length) out.push({ kind: "text", text: text.slice(end) });
  return out;
}

// Not \p{RGI_Emoji}: its flag "v" is a syntax error in browsers of 2022.
const emoji =
  /^(?:(?:\p{RI}{2}|\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier}|\u200D\p{Extended_Pictographic})*)\s*){1,3}$/u;

/** Reports whether text is one to three emoji and nothing else; such messages are shown large. */
export function isEmojiOnly(text: string): boolean {
  return emoji.test(text.trim());
}

/** Leaves out the punctuation that ends the sentence and not the address, and brackets that were opened before it. */
function trimLink(link: string): string {
  const opened = link.includes("(");
  let end = link.length;
  while (end > 0 && (isPunctuation(link.charAt(end - 1)) || (!opened && link.charAt(end - 1) === ")"))) end--;
  return link.slice(0, end);
}

function isPunctuation(sign: string): boolean {
  return ".,;:!?…*_~".includes(sign);
}

function parse(link: string): string | undefined {
  try {
    const url = new URL(link);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}
