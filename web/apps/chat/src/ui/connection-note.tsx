import { useEffect, useState } from "preact/hooks";
import { type Link, linkName, secondsLeft } from "../model/link";
import { useChat } from "./context";

/** Says above the log that the connection is not open, once that has lasted a moment. */
export function ConnectionNote() {
  const link = useChat().connection.link.value;
  const shown = useLasting(link.name !== "open", 700);
  return (
    <div class="note-place" role="status">
      {shown && link.name !== "open" && (
        <p class="note" data-link={link.name}>
          <span class="note-dot" />
          <span>
            {sentence(link)}
            {link.name === "waiting" && <Countdown until={link.until} />}
          </span>
        </p>
      )}
    </div>
  );
}

function sentence(link: Link): string {
  switch (link.name) {
    case "offline":
      return "You are offline. What you write is sent later.";
    case "waiting":
      return "Connection lost. Trying again";
    case "closed":
      return `Disconnected: ${link.why}`;
    default:
      return linkName(link);
  }
}

/** The seconds until the next try. Hidden from screen readers, which would read out every second. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return <span aria-hidden="true"> in {secondsLeft(until, now)} s</span>;
}

/** Turns true once on has been true for a time, and false at once. */
function useLasting(on: boolean, ms: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!on) return setLasting(false);
    const timer = setTimeout(() => setLasting(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return lasting;
}
