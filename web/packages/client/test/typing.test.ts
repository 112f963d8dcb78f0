import { expect, onTestFinished, test, vi } from "vitest";
import { typing } from "../src/typing.js";
import { open } from "./script.js";

test("typing is said at once, and again when half of its time is over", async () => {
  const { es, peer } = await open();
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const mine = typing(es, "typing:a", "ann");
  mine.touch("Ann");
  const first = await peer.answered("set", 1);
  expect(first.body).toMatchObject({ ch: "typing:a", key: "ann", data: "Ann", ttl_ms: 6_000, own: true });
  vi.setSystemTime(Date.now() + 2_999);
  mine.touch("Ann");
  await peer.settled();
  vi.setSystemTime(Date.now() + 1);
  mine.touch("Ann");
  await peer.answered("set", 2);
  mine.stop();
  mine.stop();
  expect((await peer.answered("del", 3)).body).toMatchObject({ ch: "typing:a", key: "ann" });
  await peer.settled();
});

test("typing that ended without a connection is not said again", async () => {
  const { server, es, peer } = await open();
  const mine = typing(es, "typing:a", "ann");
  mine.touch("Ann");
  await peer.answered("set", 1);
  await peer.settled();
  peer.cut();
  await expect.poll(() => es.state.name).not.toBe("open");
  mine.stop();
  mine.touch("nothing");
  const next = await server.peer();
  await next.greet({ session: "s2" });
  await next.answered("del", 2);
  await next.settled();
});

test("a refusal is told by the client", async () => {
  const { es, peer } = await open();
  const refused = new Promise((resolve) => es.on("error", resolve));
  typing(es, "typing:a", "ann").touch("Ann");
  peer.refuse(await peer.want("set"), 113, "too_many_keys");
  expect(await refused).toMatchObject({ name: "too_many_keys" });
});
