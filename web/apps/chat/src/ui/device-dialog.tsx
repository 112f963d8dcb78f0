import { useChat } from "./context";
import { CopyField } from "./copy-field";
import { Dialog } from "./dialog";

/** Shows the address that makes another browser a device of the same person. */
export function DeviceDialog({ onClose }: { onClose: () => void }) {
  const { profile } = useChat();
  const address = new URL(profile.deviceLink(), location.href).href;
  return (
    <Dialog title="Use another device" onClose={onClose}>
      <CopyField
        id="device"
        label="Link for your own devices"
        text={address}
        note="Open it there, and you are the same person: with your direct messages, and with what you have read. Whoever has this link is you, so give it to nobody."
      />
    </Dialog>
  );
}
