import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Chat } from "../live/chat";

const ChatContext = createContext<Chat | undefined>(undefined);

export const ChatProvider = ChatContext.Provider;

/** Returns the chat that the page shows. */
export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (chat === undefined) throw new Error("useChat outside of ChatProvider");
  return chat;
}
