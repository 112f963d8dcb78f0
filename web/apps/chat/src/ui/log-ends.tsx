import type { Room } from "../live/room";
import type { Person } from "../model/person";
import { roomInfo } from "../model/rooms";
import { Avatar } from "./avatar";
import { useChat } from "./context";
import { RoomIcon } from "./icons";

/** What stands above the messages: that there are more, or where the room begins. */
export function LogStart({ room }: { room: Room }) {
  const phase = room.phase.value;
  const { shown, older, cut } = room.timeline.value;
  if (phase.name === "failed")
    return (
      <Trouble
        text={`This could not be opened. ${phase.why}.`}
        action="Try again"
        onClick={() => room.tryAgain()}
      />
    );
  if (phase.name === "loading") return <Skeleton />;
  if (room.paging.value === "failed")
    return (
      <Trouble text="Older messages did not come." action="Try again" onClick={() => room.loadOlder()} />
    );
  if (older) return <Loading />;
  if (cut) return <p class="log-edge">Older messages are no longer kept.</p>;
  return <Welcome place={room.name} empty={shown.length === 0} />;
}

/** What stands below the messages while there are newer ones to load. */
export function LogEnd({ room }: { room: Room }) {
  if (room.timeline.value.tail.length === 0) return null;
  if (room.paging.value !== "failed") return <Loading />;
  return <Trouble text="Newer messages did not come." action="Try again" onClick={() => room.loadNewer()} />;
}

function Welcome({ place, empty }: { place: string; empty: boolean }) {
  const { peer } = useChat();
  return peer === undefined ? (
    <RoomWelcome name={place} empty={empty} />
  ) : (
    <PeerWelcome peer={peer} empty={empty} />
  );
}

function PeerWelcome({ peer, empty }: { peer: Person; empty: boolean }) {
  return (
    <div class="welcome" data-empty={empty}>
      <Avatar person={peer} size="large" />
      <h2>{peer.name}</h2>
      <p>What you write here goes to {peer.name}’s inbox and to yours. No other guest can read it there.</p>
    </div>
  );
}

function RoomWelcome({ name, empty }: { name: string; empty: boolean }) {
  const { topic, hue } = roomInfo(name);
  return (
    <div class="welcome" data-empty={empty}>
      <span class="tile" data-hue={hue} data-size="large">
        <RoomIcon name={name} />
      </span>
      <h2>{empty ? "Nobody has said anything yet" : `This is where #${name} begins`}</h2>
      <p>{empty ? `Write the first message in #${name}. Everyone here hears it at once.` : `${topic}.`}</p>
    </div>
  );
}

function Loading() {
  return (
    <div class="loading">
      <span class="spinner" />
      <span class="hidden">Loading messages</span>
    </div>
  );
}

function Trouble({ text, action, onClick }: { text: string; action: string; onClick: () => void }) {
  return (
    <div class="trouble" role="alert">
      <p>{text}</p>
      <button type="button" class="quiet-button" onClick={onClick}>
        {action}
      </button>
    </div>
  );
}

function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      {[62, 38, 75, 50].map((width, i) => (
        <div key={width} class="skeleton-row" data-mine={i === 2}>
          <span class="skeleton-bubble" data-width={width} />
        </div>
      ))}
    </div>
  );
}
