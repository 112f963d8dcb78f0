import type { Inbox } from "@earshot/client/inbox";
import { type Arrived, readEvent } from "../model/mail";
import type { ChatData } from "../model/message";
import type { InboxLog } from "./mailbox";

type Publication = Parameters<Inbox["partiesOf"]>[0] & Omit<Arrived, "peer" | "mine">;

/** The person's inbox as the mailbox takes it. */
export function openInbox(inbox: Inbox<ChatData | object>): InboxLog {
  const read = (publication: Publication): Arrived => ({ ...publication, ...inbox.partiesOf(publication) });
  return {
    async *subscribe(options) {
      for await (const publication of inbox.log.subscribe(options)) yield read(publication);
    },
    async history(query) {
      const { publications, position, more } = await inbox.log.history(query);
      return { publications: publications.map(read), position, more };
    },
    send: (to, data, options) => inbox.send(to, data, options),
    note: (data, options) => inbox.log.publish(data, { event: readEvent, ...options }),
  };
}
