/** Starting and stopping of a server's listening, which node:net and node:http share. */
import type { Server } from 'node:net';
import type { ListenerOptions } from './transport.js';

/** @throws the system's error, such as EADDRINUSE */
export function listen(server: Server, { host, port, reusePort }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, reusePort }, () => {
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
