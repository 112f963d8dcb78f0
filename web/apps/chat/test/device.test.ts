import { describe, expect, test } from "vitest";
import { linkForDevice, readDeviceLink } from "../src/model/device";

const secret = "0123456789abcdef0123456789abcdef";

describe("the link for another device", () => {
  test.each(["Ada", "Ada Lovelace", "ü.#/%&", "日本語"])("carries %s", (name) => {
    const link = { secret, name, hue: 7 };
    expect(readDeviceLink(linkForDevice(link))).toEqual(link);
  });

  test.each([
    "",
    "#/lobby",
    "#/device/",
    `#/device/${secret}`,
    `#/device/short.1.Ada`,
    `#/device/${secret}.1.%20`,
  ])("is not %j", (hash) => expect(readDeviceLink(hash)).toBeUndefined());

  test("with a name that cannot be read is none", () => {
    expect(readDeviceLink(`#/device/${secret}.1.%E0%A4%A`)).toBeUndefined();
  });
});
