import { useRef, useState } from "preact/hooks";
import { Dialog } from "./dialog";

/** Shows the address of the open room, for other people and other browsers. */
export function InviteDialog({ room, onClose }: { room: string; onClose: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = () => {
    field.current?.select();
    void copySelected(field.current?.value ?? "").then(setCopied);
  };
  return (
    <Dialog title={`Invite to #${room}`} onClose={onClose}>
      <div class="field">
        <label for="invite">Link to this room</label>
        <input
          id="invite"
          ref={field}
          readOnly
          value={location.href}
          onFocus={(event) => event.currentTarget.select()}
        />
      </div>
      <p class="dialog-note">
        Open it in a second browser, or on your phone, and write: both see it at once.
      </p>
      <button type="button" class="button" autofocus onClick={copy}>
        {copied ? "Copied" : "Copy link"}
      </button>
    </Dialog>
  );
}

/** Copies a text that is also selected on the page: the older way is what works without TLS. */
async function copySelected(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
