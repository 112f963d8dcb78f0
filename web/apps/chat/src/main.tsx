import { effect } from "@preact/signals";
import { render } from "preact";
import { Chat } from "./live/chat";
import { connectHere } from "./live/connection";
import { adopt, Profile } from "./live/profile";
import "./style/index.css";
import { readDeviceLink } from "./model/device";
import { firstRoom, linkTo, nameOf, titleOf } from "./model/rooms";
import { App } from "./ui/app";
import { ChatProvider } from "./ui/context";
import { followMidnight } from "./ui/today";
import { followKeyboard } from "./ui/viewport";

adoptFromAddress();
const profile = new Profile();
const chat = new Chat(profile, connectHere(profile));
followAddress(chat);
followAttention(chat);
followMidnight();
followKeyboard(document.documentElement);
chat.startGathering();
effect(() => {
  document.title = titleOf(nameOf(chat.current.value, chat.peer), chat.unreadBut(""));
});

const place = document.getElementById("app");
if (place !== null)
  render(
    <ChatProvider value={chat}>
      <App />
    </ChatProvider>,
    place,
  );

/** Makes this browser a device of the person who made the link in the address, and takes the secret out of sight. */
function adoptFromAddress(): void {
  const link = readDeviceLink(location.hash);
  if (link === undefined) return;
  adopt(link);
  history.replaceState(null, "", linkTo(firstRoom));
}

function followAddress(chat: Chat): void {
  const open = () => {
    // Everything on the page is another person's then.
    if (readDeviceLink(location.hash) !== undefined) location.reload();
    else chat.openFromAddress(location.hash);
  };
  addEventListener("hashchange", open);
  open();
}

function followAttention(chat: Chat): void {
  const look = () => (chat.attended.value = document.visibilityState === "visible" && document.hasFocus());
  document.addEventListener("visibilitychange", look);
  addEventListener("focus", look);
  addEventListener("blur", look);
  look();
}
