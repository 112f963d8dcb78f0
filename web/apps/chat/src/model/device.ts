import { cleanName, hueCount } from "./person";

/** What another browser needs to be a device of the same person. */
export interface DeviceLink {
  readonly secret: string;
  readonly name: string;
  readonly hue: number;
}

const prefix = "#/device/";

/** Returns the hash of an address for another device. A hash is never sent to a server. */
export function linkForDevice({ secret, name, hue }: DeviceLink): string {
  return `${prefix}${secret}.${hue}.${encodeURIComponent(name)}`;
}

/** Returns what such a hash says; undefined if it is none. */
export function readDeviceLink(hash: string): DeviceLink | undefined {
  const [, secret, hue, text] = /^#\/device\/([0-9a-f]{32})\.(\d)\.(.+)$/u.exec(hash) ?? [];
  if (secret === undefined || text === undefined || Number(hue) >= hueCount) return undefined;
  try {
    const name = cleanName(decodeURIComponent(text));
    return name === "" ? undefined : { secret, name, hue: Number(hue) };
  } catch {
    return undefined;
  }
}
