import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Program } from "../src/program";
import { launch, Visitor } from "../src/visitor";
import { publish, publishAs } from "../src/wire";

let program: Program;
let browser: Browser;
let ada: Visitor;
const requests: string[] = [];

beforeAll(async () => {
  program = await Program.start();
  browser = await launch();
  ada = await Visitor.join(browser, program.url, "Ada");
  ada.page.on("request", (request) => requests.push(request.url()));
  await ada.page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`blocked ${event.violatedDirective}`),
    );
  });
  await ada.page.reload();
  await ada.chat.ready();
});

afterAll(async () => {
  await browser?.close();
  await program?.remove();
});

const attacks = [
  "<script>window.hit = 1</script>",
  "<img src=x onerror='window.hit = 2'>",
  '<svg onload="window.hit = 3"><a href="javascript:window.hit=4">x</a></svg>',
  "javascript:window.hit=5",
  'https://example.com/"onmouseover="window.hit=6',
  "</p></div><iframe srcdoc='<script>parent.hit=7</script>'></iframe>",
  "{{constructor.constructor('window.hit=8')()}}",
];

test("script in a message, a name or an id is text", async () => {
  const data = attacks.flatMap((text) => [
    { text },
    { text: "named", from: { id: text, name: text, hue: 1 } },
    { id: text, text },
    text,
  ]);
  await publish(ada.page, "chat:lobby", data);
  await ada.chat.sees(attacks.at(-1) ?? "");
  const texts = await ada.chat.texts();
  for (const attack of attacks) expect(texts.filter((text) => text === attack)).toHaveLength(3);
  const found = await ada.page.evaluate(() => ({
    hit: "hit" in window,
    markup: document.querySelectorAll(
      ".log :is(script, img, iframe, svg:not(.icon), [onload], [onerror], [onmouseover])",
    ).length,
    links: [...document.querySelectorAll<HTMLAnchorElement>(".text a")].map(
      ({ protocol, rel, target }) => `${protocol} ${rel} ${target}`,
    ),
  }));
  expect(found.hit).toBe(false);
  expect(found.markup).toBe(0);
  expect(new Set(found.links)).toEqual(new Set(["https: noopener noreferrer nofollow _blank"]));
});

test("data of any shape is shown as text, and breaks nothing", async () => {
  const odd = [
    null,
    0,
    true,
    [],
    {},
    { text: null },
    { text: {} },
    { from: [], text: "odd author" },
    { __proto__: { text: "x" } },
    "\ud800",
    "\u0000",
  ];
  await publish(ada.page, "chat:lobby", [...odd, { text: "a".repeat(50_000) }, "last of the odd"]);
  await ada.chat.sees("last of the odd");
  expect(await ada.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
});

test("letters of any shape are shown as text, forged notes read nothing, and nobody writes in another's name", async () => {
  const user = await ada.page.evaluate(() => JSON.parse(localStorage.getItem("earshot.chat.id") ?? ""));
  const me = { id: user, name: "Ada", hue: 1 };
  const odd = [null, 0, [], {}, { text: {} }, { from: me, to: me, text: "from herself?" }, "\ud800"];
  await publishAs(ada.page, "mallory".padEnd(32, "x"), `inbox:${user}`, [
    ...odd.map((data) => ({ data })),
    { event: "read", data: { peer: user, upTo: 1e9 } },
    { event: "read", data: attacks[0] },
    ...attacks.map((text) => ({ data: { text, from: { name: text } } })),
    { data: { from: { name: "Mallory" }, text: "the last letter" } },
  ]);
  await ada.chat.counts("Mallory", odd.length + attacks.length + 1);
  await ada.chat.openTalk("Mallory");
  await ada.chat.sees("the last letter");
  const lines = await ada.chat.lines();
  expect(lines.filter(({ by }) => by === "You")).toEqual([]);
  for (const attack of attacks) expect(lines.map(({ text }) => text)).toContain(attack);
  expect(await ada.page.evaluate(() => "hit" in window)).toBe(false);
  await ada.chat.counts("Mallory", 0);
});

test("the page cannot run script that gets into it, or talk to other servers", async () => {
  const ran = await ada.page.evaluate(async () => {
    const script = document.createElement("script");
    let refused = 0;
    try {
      script.textContent = "window.hit = 9";
      document.body.append(script);
    } catch {
      refused++;
    }
    await fetch("https://example.com/").catch(() => refused++);
    return { hit: "hit" in window, refused };
  });
  expect(ran).toEqual({ hit: false, refused: 2 });
  // These are what the test provoked.
  ada.complaints.length = 0;
});

test("the page loads nothing from elsewhere", () => {
  const elsewhere = requests.filter((url) => !url.startsWith(program.url) && url !== "https://example.com/");
  expect(elsewhere).toEqual([]);
  expect(requests.length).toBeGreaterThan(2);
});

test("nothing else went wrong on the page", () => {
  expect(ada.unexpected()).toEqual([]);
});
