import { useEffect, useState } from "preact/hooks";
import { Composer, focusComposer } from "./composer";
import { ConnectionNote } from "./connection-note";
import { useChat } from "./context";
import { DeviceDialog } from "./device-dialog";
import { InviteDialog } from "./invite-dialog";
import { Log } from "./log";
import { News } from "./news";
import { PeopleDialog } from "./people-dialog";
import { ProfileDialog } from "./profile-dialog";
import { RoomDialog } from "./room-dialog";
import { RoomHeader } from "./room-header";
import { Sidebar } from "./sidebar";
import { TalkDialog } from "./talk-dialog";
import { useDrawer } from "./use-drawer";
import { WritersLine } from "./writers-line";

type Open = "profile" | "room" | "talk" | "device" | "invite" | "people" | "none";

/** The whole page. */
export function App() {
  const chat = useChat();
  const [dialog, setDialog] = useState<Open>(chat.profile.isNew.peek() ? "profile" : "none");
  const drawer = useDrawer();
  const room = chat.room;
  const close = () => setDialog("none");
  useEffect(() => {
    drawer.close();
    // Someone who goes through the rooms with the keyboard stays among them.
    if (!document.activeElement?.matches(".room-link")) focusComposer();
  }, [room.name]);
  return (
    <div class="app" data-drawer={drawer.isOpen}>
      <button type="button" class="skip" onClick={() => document.getElementById("composer")?.focus()}>
        Skip to writing a message
      </button>
      <Sidebar
        onNewRoom={() => setDialog("room")}
        onNewTalk={() => setDialog("talk")}
        onEditProfile={() => setDialog("profile")}
        onClose={drawer.close}
        hidden={drawer.isDrawer && !drawer.isOpen}
      />
      <button
        type="button"
        class="shade"
        aria-label="Close the list of rooms"
        tabIndex={-1}
        onClick={drawer.close}
      />
      <main class="main" inert={drawer.isOpen}>
        <RoomHeader
          onMenu={drawer.open}
          onInvite={() => setDialog("invite")}
          onPeople={() => setDialog("people")}
          menuOpen={drawer.isOpen}
        />
        <ConnectionNote />
        <Log key={room.name} room={room} />
        <WritersLine />
        <Composer key={`composer ${room.name}`} room={room} />
      </main>
      <News />
      {dialog === "profile" && <ProfileDialog onClose={close} onDevice={() => setDialog("device")} />}
      {dialog === "device" && <DeviceDialog onClose={close} />}
      {dialog === "talk" && <TalkDialog onClose={close} />}
      {dialog === "room" && <RoomDialog onClose={close} />}
      {dialog === "people" && <PeopleDialog room={room.name} onClose={close} />}
      {dialog === "invite" && <InviteDialog room={room.name} onClose={close} />}
    </div>
  );
}
