import { useEffect, useState } from "preact/hooks";
import { cleanName, hueCount, maxNameLength } from "../model/person";
import { Avatar } from "./avatar";
import { focusComposer } from "./composer";
import { useChat } from "./context";
import { Dialog } from "./dialog";
import { DeviceIcon } from "./icons";

interface ProfileDialogProps {
  onClose: () => void;
  /** Called when the person wants to be here from another device too. */
  onDevice: () => void;
}

/** Asks for a name and a colour. Someone who is new keeps the suggested ones by closing it. */
export function ProfileDialog({ onClose, onDevice }: ProfileDialogProps) {
  const { profile } = useChat();
  const [{ name, hue }, setChoice] = useState(profile.person.peek());
  const [isNew] = useState(profile.isNew.peek());
  useEffect(() => (isNew ? focusComposer : undefined), [isNew]);
  const usable = cleanName(name) !== "";
  const choose = (event: Event) => {
    event.preventDefault();
    if (!usable) return;
    profile.choose(name, hue);
    onClose();
  };
  const dismiss = () => {
    const { name, hue } = profile.person.peek();
    if (isNew) profile.choose(name, hue);
    onClose();
  };
  return (
    <Dialog title={isNew ? "Welcome! What should we call you?" : "Your name"} onClose={dismiss}>
      <form onSubmit={choose}>
        <div class="profile-fields">
          <Avatar person={{ name, hue }} size="large" />
          <div class="field">
            <label for="name">Name</label>
            <input
              id="name"
              value={name}
              maxLength={maxNameLength}
              autofocus
              autocomplete="nickname"
              onFocus={(event) => event.currentTarget.select()}
              onInput={(event) => setChoice({ id: "", hue, name: event.currentTarget.value })}
            />
          </div>
        </div>
        <HueField hue={hue} onChoose={(chosen) => setChoice({ id: "", name, hue: chosen })} />
        <p class="dialog-note">Kept in this browser only. Names are not checked here: anyone may take any.</p>
        <button type="submit" class="button" disabled={!usable}>
          {isNew ? "Start chatting" : "Save"}
        </button>
        {!isNew && (
          <button type="button" class="quiet-button device-button" onClick={onDevice}>
            <DeviceIcon />
            Use another device
          </button>
        )}
      </form>
    </Dialog>
  );
}

function HueField({ hue, onChoose }: { hue: number; onChoose: (hue: number) => void }) {
  return (
    <fieldset class="hues">
      <legend>Colour</legend>
      {Array.from({ length: hueCount }, (_, i) => (
        <label key={i} class="hue" data-hue={i}>
          <input type="radio" name="hue" value={i} checked={i === hue} onChange={() => onChoose(i)} />
          <span class="hidden">Colour {i + 1}</span>
        </label>
      ))}
    </fieldset>
  );
}
