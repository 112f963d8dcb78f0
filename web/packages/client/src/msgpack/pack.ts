import { fromBase64 } from "../bytes.js";

/** Writes a frame of JSON text as MessagePack. Bytes, which are base64 in a body's `b64`, become `data` of the type bin. */
export function pack(text: string): Uint8Array<ArrayBuffer> {
  const out = new Packer();
  out.map(JSON.parse(text), (key, value) => {
    out.text(key);
    if (isMap(value)) out.map(value, (name, field) => out.field(name, field));
    else out.value(value);
  });
  return out.bytes();
}

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

const isMap = (value: Value): value is { [key: string]: Value } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const utf8 = new TextEncoder();

/** Bytes that grow. */
class Packer {
  #view = new DataView(new ArrayBuffer(256));
  #length = 0;

  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view.buffer, 0, this.#length);
  }

  field(name: string, value: Value): void {
    if (name !== "b64" || typeof value !== "string") {
      this.text(name);
      return this.value(value);
    }
    this.text("data");
    const bytes = fromBase64(value);
    this.#head(bytes.length, [0xc4, 0xc5, 0xc6]);
    this.#append(bytes);
  }

  value(value: Value): void {
    if (value === null) this.#byte(0xc0);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.text(value);
    else if (Array.isArray(value)) this.#array(value);
    else this.map(value, (key, member) => this.#member(key, member));
  }

  map(value: { [key: string]: Value }, write: (key: string, value: Value) => void): void {
    const entries = Object.entries(value);
    if (entries.length < 16) this.#byte(0x80 | entries.length);
    else this.#head(entries.length, [undefined, 0xde, 0xdf]);
    for (const [key, member] of entries) write(key, member);
  }

  text(text: string): void {
    const bytes = utf8.encode(text);
    if (bytes.length < 32) this.#byte(0xa0 | bytes.length);
    else this.#head(bytes.length, [0xd9, 0xda, 0xdb]);
    this.#append(bytes);
  }

  #member(key: string, value: Value): void {
    this.text(key);
    this.value(value);
  }

  #array(values: Value[]): void {
    if (values.length < 16) this.#byte(0x90 | values.length);
    else this.#head(values.length, [undefined, 0xdc, 0xdd]);
    for (const value of values) this.value(value);
  }

  /** A length in 8, 16 or 32 bits, after the byte that says so. */
  #head(length: number, [byte, short, long]: [number | undefined, number, number]): void {
    if (byte !== undefined && length < 0x100) this.#write(byte, 1, (at) => this.#view.setUint8(at, length));
    else if (length < 0x10000) this.#write(short, 2, (at) => this.#view.setUint16(at, length));
    else this.#write(long, 4, (at) => this.#view.setUint32(at, length));
  }

  #number(n: number): void {
    if (!Number.isSafeInteger(n) || Object.is(n, -0)) this.#float(n);
    else if (n >= 0) this.#unsigned(n);
    else this.#negative(n);
  }

  #unsigned(n: number): void {
    if (n < 0x80) this.#byte(n);
    else if (n < 0x100) this.#write(0xcc, 1, (at) => this.#view.setUint8(at, n));
    else if (n < 0x10000) this.#write(0xcd, 2, (at) => this.#view.setUint16(at, n));
    else if (n < 0x100000000) this.#write(0xce, 4, (at) => this.#view.setUint32(at, n));
    else this.#write(0xcf, 8, (at) => this.#view.setBigUint64(at, BigInt(n)));
  }

  #negative(n: number): void {
    if (n >= -0x20) this.#byte(n & 0xff);
    else if (n >= -0x80) this.#write(0xd0, 1, (at) => this.#view.setInt8(at, n));
    else if (n >= -0x8000) this.#write(0xd1, 2, (at) => this.#view.setInt16(at, n));
    else if (n >= -0x80000000) this.#write(0xd2, 4, (at) => this.#view.setInt32(at, n));
    else this.#write(0xd3, 8, (at) => this.#view.setBigInt64(at, BigInt(n)));
  }

  #float(n: number): void {
    if (Math.fround(n) === n) this.#write(0xca, 4, (at) => this.#view.setFloat32(at, n));
    else this.#write(0xcb, 8, (at) => this.#view.setFloat64(at, n));
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#view.setUint8(this.#length++, byte);
  }

  #write(byte: number, size: number, set: (at: number) => void): void {
    this.#byte(byte);
    this.#room(size);
    set(this.#length);
    this.#length += size;
  }

  #append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    new Uint8Array(this.#view.buffer).set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(size: number): void {
    if (this.#length + size <= this.#view.byteLength) return;
    const larger = new Uint8Array(2 * (this.#length + size));
    larger.set(this.bytes());
    this.#view = new DataView(larger.buffer);
  }
}
