import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {children}
    </svg>
  );
}

export const PlusIcon = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);
export const MenuIcon = () => (
  <Icon>
    <path d="M4 7h16M4 12h16M4 17h10" />
  </Icon>
);
export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);
export const SendIcon = () => (
  <Icon>
    <path d="M12 19V5M5.5 11.5L12 5l6.5 6.5" />
  </Icon>
);
export const DownIcon = () => (
  <Icon>
    <path d="M12 5v14M6 13l6 6 6-6" />
  </Icon>
);
export const PencilIcon = () => (
  <Icon>
    <path d="M4 20l1-4.5L16.5 4a2 2 0 0 1 3 0l.5.5a2 2 0 0 1 0 3L8.5 19 4 20z" />
  </Icon>
);
export const CheckIcon = () => (
  <Icon>
    <path d="M5 12.5l4.5 4.5L19 7.5" />
  </Icon>
);
export const ClockIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 7.5V12l3 2" />
  </Icon>
);
export const WarningIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 7.5v5.5M12 16.4v.1" />
  </Icon>
);
export const PeopleIcon = () => (
  <Icon>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M2.8 19.5c.4-3.6 2.9-5.5 6.2-5.5s5.8 1.9 6.2 5.5M15.5 5.4a3.3 3.3 0 0 1 0 6.3M17.6 14.6c2 .7 3.3 2.4 3.6 4.9" />
  </Icon>
);
export const ChatIcon = () => (
  <Icon>
    <path d="M5 18.5V7a2.5 2.5 0 0 1 2.5-2.5h9A2.5 2.5 0 0 1 19 7v6a2.5 2.5 0 0 1-2.5 2.5H9z" />
  </Icon>
);
export const DeviceIcon = () => (
  <Icon>
    <path d="M3.5 15.5v-8A1.5 1.5 0 0 1 5 6h11M2.5 18.5h9M15.5 10h4a1 1 0 0 1 1 1v7.5a1 1 0 0 1-1 1h-4a1 1 0 0 1-1-1V11a1 1 0 0 1 1-1z" />
  </Icon>
);
export const HashIcon = () => (
  <Icon>
    <path d="M9.5 4.5l-2 15M16.5 4.5l-2 15M5 9.5h15M4 14.5h15" />
  </Icon>
);
export const LinkIcon = () => (
  <Icon>
    <path d="M10 14a4.2 4.2 0 0 0 6.2.3l3-3a4.2 4.2 0 0 0-6-6l-1 1M14 10a4.2 4.2 0 0 0-6.2-.3l-3 3a4.2 4.2 0 0 0 6 6l1-1" />
  </Icon>
);
export const DoorIcon = () => (
  <Icon>
    <path d="M4 11.5L12 5l8 6.5M6.5 10v9h11v-9M10.5 19v-5h3v5" />
  </Icon>
);
export const ShuffleIcon = () => (
  <Icon>
    <path d="M4 7h2.5c5 0 5.5 10 10.5 10H20M4 17h2.5c1.9 0 3.1-1.4 4-3M20 7h-3c-1.5 0-2.6.9-3.5 2M17.5 4.5L20 7l-2.5 2.5M17.5 14.5L20 17l-2.5 2.5" />
  </Icon>
);
export const LifebuoyIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8.5" />
    <circle cx="12" cy="12" r="3.5" />
    <path d="M6 6l3.5 3.5M14.5 14.5L18 18M18 6l-3.5 3.5M9.5 14.5L6 18" />
  </Icon>
);

/** Earshot's mark: a voice and how far it carries. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" class="mark-ground" />
      <path d="M14.2 11.4a6.4 6.4 0 0 1 6.4 6.4M14.2 6.2a11.6 11.6 0 0 1 11.6 11.6" class="mark-waves" />
      <circle cx="13" cy="19" r="4.6" class="mark-voice" />
    </svg>
  );
}

/** The picture of a room: its own for the ready ones, # for the others. */
export function RoomIcon({ name }: { name: string }) {
  switch (name) {
    case "lobby":
      return <DoorIcon />;
    case "random":
      return <ShuffleIcon />;
    case "help":
      return <LifebuoyIcon />;
    default:
      return <HashIcon />;
  }
}
