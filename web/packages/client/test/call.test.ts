import { describe, expect, test } from "vitest";
import { CallError, call, handle } from "../src/call.js";
import { open } from "./script.js";

describe("a call", () => {
  test("is answered by a result, or rejects with the error", async () => {
    const { es, peer } = await open();
    const good = call<number>(es, "price", { item: 7 });
    peer.answer(await peer.want("call"), "result", { data: 1250 });
    expect(await good).toBe(1250);
    const bad = call(es, "price", { item: 8 }, { to: "s2" });
    const said = await peer.want("call");
    expect(said.body.to).toBe("s2");
    peer.answer(said, "error", { code: 117, name: "call_failed", reason: "no such item" });
    await expect(bad).rejects.toMatchObject({ name: "call_failed", reason: "no such item" });
  });

  test("is made again over the next connection, under the same id", async () => {
    const { server, es, peer } = await open();
    const result = call(es, "price");
    const first = await peer.want("call");
    peer.cut();
    const next = await server.peer();
    await next.greet();
    const second = await next.want("call");
    expect(second.body).toEqual(first.body);
    next.answer(second, "result", { data: 1 });
    expect(await result).toBe(1);
  });

  test("is put off while the server is not ready, and does not hold up publishes", async () => {
    const { es, peer } = await open();
    const result = call(es, "price");
    peer.answer(await peer.want("call"), "error", { code: 301, name: "unavailable", retry_ms: 30 });
    const receipt = es.channel("log:a").publish(1);
    await peer.commit(1);
    await receipt;
    peer.answer(await peer.want("call"), "result", { data: 1 });
    expect(await result).toBe(1);
  });

  test.each([
    [300, "internal"],
    [303, "timeout"],
  ])("is not made again after error %i", async (code, name) => {
    const { es, peer } = await open();
    const result = call(es, "price");
    peer.answer(await peer.want("call"), "error", { code, name });
    await expect(result).rejects.toMatchObject({ code, name });
    await peer.settled();
  });

  test("gives up after its time, also without a connection", async () => {
    const { es, peer } = await open();
    const late = call(es, "price", 1, { timeout: 20 });
    expect((await peer.want("call")).body.timeout_ms).toBe(20);
    await expect(late).rejects.toMatchObject({ code: 303, name: "timeout" });
    peer.freeze();
    peer.cut();
    await expect(call(es, "price", 1, { timeout: 1 })).rejects.toMatchObject({ name: "timeout" });
  });

  test("gives up with its signal, and with the client", async () => {
    const { es, peer } = await open();
    const abort = new AbortController();
    const aborted = call(es, "price", 1, { signal: abort.signal });
    await peer.want("call");
    abort.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    await expect(call(es, "price", 1, { signal: abort.signal })).rejects.toThrow("enough");
    const last = call(es, "price");
    await peer.want("call");
    const closed = es.close();
    await expect(last).rejects.toMatchObject({ name: "closed" });
    await closed;
    await expect(call(es, "price")).rejects.toMatchObject({ name: "closed" });
  });

  test("is refused where it is too large, or too many wait", async () => {
    const { es } = await open();
    await expect(call(es, "price", "x".repeat(70_000))).rejects.toMatchObject({ name: "too_large" });
    const calls = Array.from({ length: 65 }, () => call(es, "price").catch((error) => error.name));
    expect(await Promise.race(calls)).toBe("queue_full");
  });
});

describe("a handler", () => {
  test("answers with what it returns, at once or later", async () => {
    const { es, peer } = await open();
    handle<number>(es, "double", (n) => n * 2);
    handle(es, "later", async () => new Uint8Array([0, 1, 2, 255]));
    peer.say({ id: 1, call: { method: "double", data: 21, from: "s2", user: "ann" } });
    expect(await peer.want("result")).toMatchObject({ id: 1, body: { data: 42 } });
    peer.say({ id: 2, call: { method: "later" } });
    expect((await peer.want("result")).body).toEqual({ b64: "AAEC/w==" });
  });

  test("that fails tells the caller only what is meant for it", async () => {
    const { es, peer } = await open();
    const thrown = [new CallError("no such item"), new Error("secret"), new CallError("é".repeat(300))];
    handle(es, "fail", (i: number) => Promise.reject(thrown[i]));
    handle(es, "large", () => "x".repeat(70_000));
    const answers = [];
    for (const [i] of thrown.entries()) {
      peer.say({ id: i + 1, call: { method: "fail", data: i } });
      answers.push((await peer.want("result")).body.error);
    }
    expect(answers).toEqual(["no such item", "the method failed", "é".repeat(128)]);
    peer.say({ id: 9, call: { method: "large" } });
    expect((await peer.want("result")).body).toEqual({ error: "the method failed" });
  });

  test("there is none for: says so", async () => {
    const { es, peer } = await open();
    const off = handle(es, "poke", () => 1);
    handle(es, "poke", () => 2);
    off();
    peer.say({ id: 1, call: { method: "poke" } });
    expect((await peer.want("result")).body).toEqual({ data: 2 });
    peer.say({ id: 2, call: { method: "other" } });
    expect(await peer.want("result")).toMatchObject({
      id: 2,
      body: { error: "there is no such method here" },
    });
  });

  test("does not answer over another connection, or late", async () => {
    const { server, es, peer } = await open();
    const signals: AbortSignal[] = [];
    const ends: (() => void)[] = [];
    handle(es, "slow", (_, { signal }) => {
      signals.push(signal);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
    peer.say({ id: 1, call: { method: "slow" } });
    await expect.poll(() => ends.length).toBe(1);
    peer.cut();
    const next = await server.peer();
    await next.greet();
    expect(signals[0]?.aborted).toBe(true);
    next.say({ id: 1, call: { method: "slow", timeout_ms: 5 } });
    await expect.poll(() => signals[1]?.aborted).toBe(true);
    for (const end of ends) end();
    await next.settled();
  });
});
