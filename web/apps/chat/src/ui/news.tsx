import { useEffect, useState } from "preact/hooks";
import { useChat } from "./context";

/** Tells those who do not see the badges that something was written to them, in a conversation that is not open. */
export function News() {
  const [text, setText] = useState("");
  const chat = useChat();
  const talks = chat.conversations.list.value;
  const newest = talks.find(({ place }) => place !== chat.current.value && chat.unread(place) > 0);
  const offset = newest?.newest?.offset;
  useEffect(() => setText(newest === undefined ? "" : `New message from ${newest.peer.name}`), [offset]);
  return (
    <p class="hidden" role="status">
      {text}
    </p>
  );
}
