// The wire between a browser and the platform, which a story can cut: everything that runs over it breaks at once, as when a network goes away.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export class Wire {
  readonly url: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A wire to the platform at this address. */
  static async to(platform: string): Promise<Wire> {
    const { hostname, port } = new URL(platform);
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const wire = new Wire(server);
    server.on('connection', (here) => {
      if (wire.#isCut) return here.destroy();
      const there = connect(Number(port), hostname);
      for (const [one, other] of [[here, there], [there, here]] as const) {
        wire.#open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => (wire.#open.delete(one), other.destroy()));
        one.pipe(other);
      }
    });
    return wire;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#open) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  remove(): void {
    this.cut();
    this.#server.close();
  }
}
