import { useState } from "preact/hooks";
import { isEmojiOnly, pieces } from "../model/text";

/** Longer texts are folded until the reader asks for all. */
const foldedLength = 1200;
const foldedLines = 18;

/** The text of a message, as text nodes and links only. */
export function MessageText({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const folded = !open && fold(text);
  return (
    <>
      <p class="text" dir="auto" data-emoji={isEmojiOnly(text)}>
        {pieces(folded === false ? text : folded).map((piece, i) =>
          piece.kind === "text" ? piece.text : <ExternalLink key={i} href={piece.href} text={piece.text} />,
        )}
        {folded !== false && "…"}
      </p>
      {folded !== false && (
        <button type="button" class="unfold" onClick={() => setOpen(true)}>
          Show all
        </button>
      )}
    </>
  );
}

function ExternalLink({ href, text }: { href: string; text: string }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {text}
    </a>
  );
}

/** Returns the beginning of a long text, or false for a text that is shown whole. */
function fold(text: string): string | false {
  const lines = text.split("\n");
  if (lines.length > foldedLines)
    return fold(lines.slice(0, foldedLines).join("\n")) || lines.slice(0, foldedLines).join("\n");
  return text.length > foldedLength && text.slice(0, foldedLength);
}
