import type { Outbox, Outgoing } from "../model/outbox";
import { hueCount } from "../model/person";
import { load, save } from "./storage";

/**
 * What a room had on the way when its tab was reloaded or closed and restored. Kept for the tab and not the browser, so
 * that two tabs do not both send it.
 */
export function loadOutbox(room: string): Outbox {
  return load(sessionStorage, key(room), readOutbox) ?? [];
}

export function saveOutbox(room: string, outbox: Outbox): void {
  save(sessionStorage, key(room), outbox);
}

function key(room: string): string {
  return `outbox.${room}`;
}

function readOutbox(value: unknown): Outbox | undefined {
  return Array.isArray(value) ? value.filter(isOutgoing) : undefined;
}

function isOutgoing(value: unknown): value is Outgoing {
  if (typeof value !== "object" || value === null) return false;
  const { id, text, time, from } = value as Partial<Outgoing>;
  if (typeof id !== "string" || typeof text !== "string" || typeof time !== "number") return false;
  const { hue } = from ?? {};
  return (
    typeof from?.id === "string" &&
    typeof from.name === "string" &&
    hue !== undefined &&
    hue >= 0 &&
    hue < hueCount
  );
}
