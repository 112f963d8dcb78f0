import { toBase64 } from "../bytes.js";

const maxDepth = 128;

/** Reads a frame of MessagePack as JSON text. Throws if it is none, or has what JSON has not. */
export function unpack(bytes: Uint8Array): string {
  const frame = new Unpacker(bytes);
  const text = frame.map((_, read) => read(frame.body));
  frame.end();
  return text;
}

/** How a member of a map is read: as its name, and a value by one of the methods. */
type Member = (key: string, read: (value: () => string, name?: string) => string) => string;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** MessagePack that is read front to back, into JSON text. */
class Unpacker {
  readonly #view: DataView;
  #at = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  end(): void {
    if (this.#at !== this.#view.byteLength) throw new TypeError("something after the frame");
  }

  /** The body of a frame, or a publication of a page: its data may be bytes. */
  readonly body = (): string => {
    if (!isMap(this.#peek())) return this.#value();
    return this.map((key, read) => {
      const next = this.#peek();
      if (key === "data" && next >= 0xc4 && next <= 0xc6) return read(this.#bin, "b64");
      return read(key === "pubs" && isArray(next) ? this.#pubs : this.#value);
    });
  };

  map(member: Member): string {
    const size = this.#size(this.#byte(), 0x80, 0xde);
    return this.#nested(size, "{", "}", () => {
      const key = this.#text(this.#byte());
      return member(key, (value, name = key) => `${JSON.stringify(name)}:${value()}`);
    });
  }

  readonly #pubs = (): string => this.#array(this.body);

  readonly #bin = (): string => `"${toBase64(this.#take(this.#length(this.#byte() - 0xc4)))}"`;

  readonly #value = (): string => {
    const next = this.#peek();
    if (isMap(next)) return this.map((_, read) => read(this.#value));
    if (isArray(next)) return this.#array(this.#value);
    const type = this.#byte();
    if ((type >= 0xa0 && type < 0xc0) || (type >= 0xd9 && type <= 0xdb))
      return JSON.stringify(this.#text(type));
    const plain = { 192: "null", 194: "false", 195: "true" }[type];
    return plain ?? numberText(this.#number(type));
  };

  #array(element: () => string): string {
    return this.#nested(this.#size(this.#byte(), 0x90, 0xdc), "[", "]", element);
  }

  #nested(size: number, opener: string, closer: string, each: () => string): string {
    if (++this.#depth > maxDepth) throw new TypeError("too deep");
    const parts: string[] = [];
    for (let i = 0; i < size; i++) parts.push(each());
    this.#depth--;
    return opener + parts.join(",") + closer;
  }

  /** The number of members, which `type` has in it, or says in how many bytes it follows. */
  #size(type: number, fix: number, wide: number): number {
    if (type >= fix && type < fix + 16) return type - fix;
    if (type !== wide && type !== wide + 1) throw new TypeError("no map");
    return this.#length(type - wide + 1);
  }

  #text(type: number): string {
    const size = type >= 0xa0 && type < 0xc0 ? type - 0xa0 : this.#length(type - 0xd9);
    return utf8.decode(this.#take(size));
  }

  /** A length in one, two or four bytes: `width` is the power of two. */
  #length(width: number): number {
    if (width === 0) return this.#byte();
    const at = this.#skip(width === 1 ? 2 : 4);
    if (width === 1) return this.#view.getUint16(at);
    if (width === 2) return this.#view.getUint32(at);
    throw new TypeError("a type that JSON has not");
  }

  #number(type: number): number | bigint {
    if (type < 0x80) return type;
    if (type >= 0xe0) return type - 0x100;
    const view = this.#view;
    switch (type) {
      case 0xca:
        return view.getFloat32(this.#skip(4));
      case 0xcb:
        return view.getFloat64(this.#skip(8));
      case 0xcc:
        return view.getUint8(this.#skip(1));
      case 0xcd:
        return view.getUint16(this.#skip(2));
      case 0xce:
        return view.getUint32(this.#skip(4));
      case 0xcf:
        return view.getBigUint64(this.#skip(8));
      case 0xd0:
        return view.getInt8(this.#skip(1));
      case 0xd1:
        return view.getInt16(this.#skip(2));
      case 0xd2:
        return view.getInt32(this.#skip(4));
      case 0xd3:
        return view.getBigInt64(this.#skip(8));
    }
    throw new TypeError("a type that JSON has not");
  }

  #peek(): number {
    return this.#view.getUint8(this.#at);
  }

  #byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  /** Moves over bytes and returns where they begin. Reading them throws if they are not there. */
  #skip(size: number): number {
    this.#at += size;
    return this.#at - size;
  }

  #take(size: number): Uint8Array {
    if (size > this.#view.byteLength - this.#at) throw new TypeError("cut off");
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#skip(size), size);
  }
}

const isMap = (type: number) => (type >= 0x80 && type < 0x90) || type === 0xde || type === 0xdf;
const isArray = (type: number) => (type >= 0x90 && type < 0xa0) || type === 0xdc || type === 0xdd;

/** JSON has no infinity and no NaN, but numbers that are too large for a float are read as the first. */
function numberText(n: number | bigint): string {
  if (Object.is(n, -0)) return "-0";
  if (typeof n === "bigint" || Number.isFinite(n)) return String(n);
  if (Number.isNaN(n)) throw new TypeError("not a number");
  return n > 0 ? "1e999" : "-1e999";
}
