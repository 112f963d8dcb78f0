import { type Client, connect } from "@earshot/client";
import { withFallback } from "@earshot/client/fallback";
import { inbox } from "@earshot/client/inbox";
import { computed, effect, signal } from "@preact/signals";
import type { Link } from "../model/link";
import type { ChatData } from "../model/message";
import { channelOf } from "../model/rooms";
import type { Connection } from "./chat";
import { joinCrowd } from "./crowd";
import { gather } from "./gathering";
import { openInbox } from "./inbox-log";
import { followMarks } from "./marks";
import type { Profile } from "./profile";

/** Connects to the server that the page came from, as the person at this browser. */
export function connectHere(profile: Profile): Connection {
  const es = connect(location.origin, { token: profile.secret, webSocket: withFallback() });
  const user = signal("");
  es.on("state", (now) => {
    if (now.name === "open") user.value = now.user;
  });
  effect(() => {
    if (user.value !== "") profile.know(user.value);
  });
  return {
    link: followLink(es),
    user,
    crowd: (me) => joinCrowd(es, me),
    channel: (name) => es.channel<ChatData>(name),
    roomMarks: (room, user) => followMarks(es, channelOf(room), user),
    gather: (room, me) => gather(es, room, me),
    inbox: (user) => openInbox(inbox<ChatData | object>(es, user)),
    inboxMarks: (user) => followMarks(es, inbox(es, user).log.name, user),
  };
}

function followLink(es: Client): Connection["link"] {
  const state = signal(es.state);
  const online = signal(navigator.onLine);
  es.on("state", (now) => (state.value = now));
  addEventListener("online", () => (online.value = true));
  addEventListener("offline", () => (online.value = false));
  return computed<Link>(() => {
    const now = state.value;
    if (now.name === "open" || now.name === "connecting") return { name: now.name };
    if (now.name === "closing" || now.name === "closed")
      return { name: "closed", why: now.name === "closed" ? now.reason : "" };
    return online.value ? { name: "waiting", until: now.until } : { name: "offline" };
  });
}
