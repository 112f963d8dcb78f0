import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Room } from "../live/room";
import { maxTextLength } from "../model/message";
import { maxWaiting } from "../model/outbox";
import { nameOf } from "../model/rooms";
import { useChat } from "./context";
import { SendIcon } from "./icons";

/** What was being written in each room, kept while the page lives. */
const drafts = new Map<string, string>();

/** Moves the focus to where a message is written, unless that would open the keyboard of a phone. */
export function focusComposer(): void {
  if (matchMedia("(hover: hover)").matches) document.getElementById("composer")?.focus();
}

/** Where a message is written. Enter sends; Shift and Enter begin a new line. */
export function Composer({ room }: { room: Room }) {
  const [text, setText] = useState(drafts.get(room.name) ?? "");
  const field = useRef<HTMLTextAreaElement>(null);
  const chat = useChat();
  const { peer } = chat;
  const left = maxTextLength - text.length;
  const full = room.outbox.value.length >= maxWaiting;
  const ready = text.trim() !== "" && left >= 0 && !full;
  useEffect(() => void drafts.set(room.name, text), [room, text]);
  useLayoutEffect(() => grow(field.current), [text]);
  const writing = (on: boolean) => chat.gathering.peek()?.writing(on);

  const write = (text: string) => {
    setText(text);
    writing(text.trim() !== "");
  };
  const send = () => {
    if (!ready) return;
    room.send(text.trim());
    setText("");
    writing(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also ends the writing of a word in Japanese and Chinese.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    send();
    field.current?.focus();
  };
  return (
    <form class="composer" onSubmit={onSubmit}>
      <label class="hidden" for="composer">
        Message to {peer?.name ?? room.name}
      </label>
      <div class="composer-field">
        <textarea
          id="composer"
          ref={field}
          rows={1}
          value={text}
          placeholder={`Message ${nameOf(room.name, peer)}`}
          aria-describedby="composer-hint"
          aria-invalid={left < 0}
          enterkeyhint="send"
          autocomplete="off"
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {full && (
          <span class="left" role="status">
            {maxWaiting} messages are waiting
          </span>
        )}
        {left < 200 && (
          <span class="left" data-over={left < 0} role="status">
            {left}
            <span class="hidden"> characters left</span>
          </span>
        )}
        <button type="submit" class="send" aria-label="Send" title="Send" disabled={!ready}>
          <SendIcon />
        </button>
      </div>
      <p class="hint" id="composer-hint">
        <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> begins a new line
      </p>
    </form>
  );
}

/** Makes the field as high as its text; the style sheet says how high at most. */
function grow(field: HTMLTextAreaElement | null): void {
  if (field === null) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
