import { CopyField } from "./copy-field";
import { Dialog } from "./dialog";

/** Shows the address of the open room, for other people and other browsers. */
export function InviteDialog({ room, onClose }: { room: string; onClose: () => void }) {
  return (
    <Dialog title={`Invite to #${room}`} onClose={onClose}>
      <CopyField
        id="invite"
        label="Link to this room"
        text={location.href}
        note="Open it in a second browser, or on your phone, and write: both see it at once."
      />
    </Dialog>
  );
}
