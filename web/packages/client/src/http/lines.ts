/** Calls `each` for every line of a body as it comes, without its line break. A last line without one is left out. */
export async function readLines(
  body: ReadableStream<Uint8Array>,
  heard: () => void,
  each: (line: string) => void,
): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) each(line);
    }
  } finally {
    // An answer that was cut off has nothing more to give.
    await reader.cancel().catch(() => {});
  }
}
