import { readdirSync, readFileSync } from "node:fs";

/** One case of the golden files. Its members are described in testdata/protocol/README.md. */
export interface Golden {
  readonly file: string;
  readonly name: string;
  readonly direction: "client" | "server";
  readonly frame?: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is in a value depends on its kind.
  readonly value?: { readonly kind: string; readonly id?: number; readonly body: any };
  readonly canonical?: boolean;
  readonly error?: string;
  readonly ignored?: boolean;
}

const folder = new URL("../../../../testdata/protocol/", import.meta.url);

/** Every golden case of the protocol. */
export function goldenCases(): Golden[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      const cases: Omit<Golden, "file">[] = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
      return cases.map((each) => ({ ...each, file }));
    });
}

/** The exact text of a case's frame, with the id of the request that it answers here. */
export function answerWith({ frame = "" }: Golden, id: number | undefined): string {
  return frame.replace(/"id":\d+/, `"id":${id}`);
}

/** The JavaScript value that golden data is for a reader. */
export function dataOf(data: { json?: string; base64?: string } = { json: "null" }): unknown {
  return data.base64 === undefined
    ? JSON.parse(data.json ?? "null")
    : new Uint8Array(Buffer.from(data.base64, "base64"));
}
