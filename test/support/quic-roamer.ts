/**
 * A QUIC link of the SDK as a program: what comes in is sent, what arrives is printed, a line each. `open` and `closed` are
 * lines as well. `node quic-roamer.js HOST:PORT CA-FILE`
 */
import { readFileSync } from 'node:fs';
import { quicConnector } from '../../sdk/transports/quic-connector.js';

const [, , address = '', ca = ''] = process.argv;
const say = (line: string) => process.stdout.write(`${line}\n`);

const link = quicConnector({ ca: readFileSync(ca, 'utf8') })(address, {
  onOpen: () => say('open'),
  onBytes: (bytes) => say(Buffer.from(bytes).toString()),
  onClose: (error) => say(`closed ${error?.message ?? ''}`),
});
process.stdin.on('data', (bytes) => link.send(bytes));
