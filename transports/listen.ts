/** Starting and stopping of a port's listening. */
import type { Server } from 'node:net';
import type { ListenerOptions } from './transport.js';

/** Links the kernel holds while a worker is busy, as in a reconnect storm; it takes `net.core.somaxconn` if that is less. */
const BACKLOG = 4_096;

/** @throws the system's error, such as EADDRINUSE */
export function listen(server: Server, { host, port, reusePort }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, reusePort, backlog: BACKLOG }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** Closes the listening socket at once; open links stay, so the server's own 'close' is not waited for. */
export function stopListening(server: Server): Promise<void> {
  if (server.listening) server.close();
  return Promise.resolve();
}
