import { Component } from "preact";
import { useMemo } from "preact/hooks";
import type { Room } from "../live/room";
import type { Row, Shown } from "../model/rows";
import { clock, full } from "../model/when";
import { Avatar } from "./avatar";
import { CheckIcon, ClockIcon, WarningIcon } from "./icons";
import { MessageText } from "./message-text";

type Group = Extract<Row, { kind: "group" }>;

interface GroupProps {
  group: Group;
  room: Room;
}

/** Messages that one person wrote in a row. Rendered anew only when one of them changed: there may be hundreds. */
export class MessageGroup extends Component<GroupProps> {
  override shouldComponentUpdate(next: GroupProps): boolean {
    return next.room !== this.props.room || !isSame(next.group, this.props.group);
  }

  override render({ group, room }: GroupProps) {
    const { from, mine, messages } = group;
    return (
      <article class="group" data-mine={mine}>
        {!mine && <Avatar person={from} />}
        <div class="stack">
          <GroupHeader group={group} />
          {messages.map((message) => (
            <MessageView key={message.key} message={message} room={room} />
          ))}
          {mine && <GroupState messages={messages} />}
        </div>
      </article>
    );
  }
}

function isSame(a: Group, b: Group): boolean {
  if (a.mine !== b.mine || a.from !== b.from || a.messages.length !== b.messages.length) return false;
  return a.messages.every((message, i) => {
    const other = b.messages[i];
    return (
      other !== undefined &&
      message.key === other.key &&
      message.state === other.state &&
      message.time === other.time
    );
  });
}

function GroupHeader({ group: { from, mine, messages } }: { group: Group }) {
  const time = messages[0]?.time ?? 0;
  if (mine) return <h3 class="hidden">You</h3>;
  return (
    <header class="by">
      <h3 class="name" data-hue={from.hue}>
        <bdi>{from.name}</bdi>
      </h3>
      <Clock time={time} />
    </header>
  );
}

function MessageView({ message, room }: { message: Shown; room: Room }) {
  const { key, state, text, time } = message;
  // The same vnode again makes the renderer skip the text of every message that did not change.
  const body = useMemo(() => <MessageText text={text} />, [text]);
  return (
    <div class="message" data-key={key} data-state={state}>
      <div class="bubble">{body}</div>
      <time class="aside" dateTime={new Date(time).toISOString()} title={full(time)}>
        {clock(time)}
      </time>
      {state === "failed" && <Failed message={message} room={room} />}
    </div>
  );
}

function Failed({ message, room }: { message: Shown; room: Room }) {
  return (
    <div class="failed" role="alert">
      <WarningIcon />
      <span>Not sent. {message.error}.</span>
      <button type="button" class="text-button" onClick={() => room.retry(message.key)}>
        Try again
      </button>
      <button type="button" class="text-button" onClick={() => room.discard(message.key)}>
        Delete
      </button>
    </div>
  );
}

/** Says below own messages what became of the last of them. */
function GroupState({ messages }: { messages: readonly Shown[] }) {
  const last = messages[messages.length - 1];
  if (last === undefined || last.state === "failed") return null;
  const sending = last.state === "sending";
  return (
    <footer class="state" data-state={sending ? "sending" : "sent"}>
      <Clock time={last.time} />
      {sending ? <ClockIcon /> : <CheckIcon />}
      <span class={sending ? "" : "hidden"}>{sending ? "Sending…" : "Sent"}</span>
    </footer>
  );
}

function Clock({ time }: { time: number }) {
  return (
    <time dateTime={new Date(time).toISOString()} title={full(time)}>
      {clock(time)}
    </time>
  );
}
