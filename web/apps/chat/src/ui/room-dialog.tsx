import { useState } from "preact/hooks";
import { roomName } from "../model/rooms";
import { useChat } from "./context";
import { Dialog } from "./dialog";

/** Asks for the name of a room to open. A room exists as soon as somebody says something in it. */
export function RoomDialog({ onClose }: { onClose: () => void }) {
  const chat = useChat();
  const [text, setText] = useState("");
  const name = roomName(text);
  const open = (event: Event) => {
    event.preventDefault();
    if (chat.goTo(text)) onClose();
  };
  return (
    <Dialog title="Create or join a room" onClose={onClose}>
      <form onSubmit={open}>
        <div class="field">
          <label for="room-name">Room name</label>
          <div class="prefixed">
            <span aria-hidden="true">#</span>
            <input
              id="room-name"
              value={text}
              placeholder="tea-kitchen"
              autofocus
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </div>
        </div>
        <p class="dialog-note">
          {name !== "" && name !== text ? `It will be called #${name}. ` : ""}Everyone who opens a room of
          this name meets there.
        </p>
        <button type="submit" class="button" disabled={name === ""}>
          Open room
        </button>
      </form>
    </Dialog>
  );
}
