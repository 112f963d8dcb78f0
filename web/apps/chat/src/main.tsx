import { effect } from "@preact/signals";
import { render } from "preact";
import { Chat } from "./live/chat";
import { connectHere } from "./live/connection";
import { Profile } from "./live/profile";
import "./style/index.css";
import { titleOf } from "./model/rooms";
import { App } from "./ui/app";
import { ChatProvider } from "./ui/context";
import { followMidnight } from "./ui/today";
import { followKeyboard } from "./ui/viewport";

const chat = new Chat(new Profile(), connectHere());
followAddress(chat);
followAttention(chat);
followMidnight();
followKeyboard(document.documentElement);
chat.startCounting();
chat.startGathering();
effect(() => {
  const unread = chat.list.value.reduce((sum, { name }) => sum + chat.unread(name), 0);
  document.title = titleOf(chat.current.value, unread);
});

const place = document.getElementById("app");
if (place !== null)
  render(
    <ChatProvider value={chat}>
      <App />
    </ChatProvider>,
    place,
  );

function followAddress(chat: Chat): void {
  const open = () => chat.openFromAddress(location.hash);
  addEventListener("hashchange", open);
  open();
}

function followAttention(chat: Chat): void {
  const look = () => (chat.attended.value = document.visibilityState === "visible");
  document.addEventListener("visibilitychange", look);
  look();
}
