import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy in front of the program that lets HTTP/1.1 through, and no WebSocket. */
export class Blocker {
  /** How many WebSockets were asked for. */
  refused = 0;

  private constructor(
    private readonly server: Server,
    private readonly program: string,
  ) {}

  static async start(program: string): Promise<Blocker> {
    const server = createServer();
    const blocker = new Blocker(server, program);
    server.on("request", (asked, answer) => {
      const { method, headers } = asked;
      const onward = request(new URL(asked.url ?? "", blocker.program), { method, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      answer.on("close", () => onward.destroy());
      asked.pipe(onward);
    });
    server.on("upgrade", (_, socket) => {
      blocker.refused++;
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return blocker;
  }

  /** Where the page is, through the proxy. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
