import { useEffect, useState } from "preact/hooks";

/** Where the side list is a drawer: the style sheet has the same width. */
const drawerWidth = "(max-width: 759.98px)";

export interface Drawer {
  /** Whether the side list is a drawer at all. */
  readonly isDrawer: boolean;
  readonly isOpen: boolean;
  open(): void;
  close(): void;
}

/** The state of the side list on a small screen. Escape closes it; the focus goes in with it and comes back. */
export function useDrawer(): Drawer {
  const isDrawer = useMedia(drawerWidth);
  const [asked, setAsked] = useState(false);
  const isOpen = isDrawer && asked;
  useEffect(() => {
    if (!isOpen) return;
    document.querySelector<HTMLElement>("#side .drawer-close")?.focus();
    const onKeyDown = (event: KeyboardEvent) => {
      // A dialog that was opened from the drawer closes first, and alone.
      if (event.key === "Escape" && document.querySelector("dialog[open]") === null) setAsked(false);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => {
      document.removeEventListener("keydown", onKeyDown);
      document.getElementById("menu")?.focus();
    };
  }, [isOpen]);
  return { isDrawer, isOpen, open: () => setAsked(true), close: () => setAsked(false) };
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const onChange = () => setMatches(media.matches);
    media.addEventListener("change", onChange);
    return () => media.removeEventListener("change", onChange);
  }, [query]);
  return matches;
}
