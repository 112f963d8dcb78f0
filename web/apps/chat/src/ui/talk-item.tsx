import type { Talk } from "../live/conversations";
import { linkTo } from "../model/rooms";
import { Avatar } from "./avatar";
import { useChat } from "./context";
import { Newest, UnreadBadge } from "./place-newest";

/** A conversation in the side list. */
export function TalkItem({ talk, onOpen }: { talk: Talk; onOpen: () => void }) {
  const chat = useChat();
  const { place, peer, newest } = talk;
  const open = chat.current.value === place;
  const online = chat.conversations.isOnline(peer.id);
  const unread = open && chat.attended.value ? 0 : chat.unread(place);
  return (
    <li class="room-item" data-unread={unread > 0}>
      <a class="room-link" href={linkTo(place)} aria-current={open ? "page" : undefined} onClick={onOpen}>
        <span class="face" data-online={online}>
          <Avatar person={peer} />
        </span>
        <bdi class="room-name">
          {peer.name}
          {online && <span class="hidden">, online</span>}
        </bdi>
        <Newest message={newest} otherwise="Nothing said yet" peer={peer.id} />
        <UnreadBadge count={unread} />
      </a>
    </li>
  );
}
