import { connect } from "@earshot/client";
import { computed, signal } from "@preact/signals";
import type { Link } from "../model/link";
import type { ChatData } from "../model/message";
import type { Connection } from "./chat";
import { gather } from "./gathering";

/** Connects to the server that the page came from. */
export function connectHere(): Connection {
  const es = connect(location.origin);
  const state = signal(es.state);
  const online = signal(navigator.onLine);
  es.on("state", (now) => (state.value = now));
  addEventListener("online", () => (online.value = true));
  addEventListener("offline", () => (online.value = false));
  const link = computed<Link>(() => {
    const now = state.value;
    if (now.name === "open" || now.name === "connecting") return { name: now.name };
    if (now.name === "closing" || now.name === "closed")
      return { name: "closed", why: now.name === "closed" ? now.reason : "" };
    return online.value ? { name: "waiting", until: now.until } : { name: "offline" };
  });
  return {
    link,
    channel: (name) => es.channel<ChatData>(name),
    gather: (room, me) => gather(es, room, me),
  };
}
