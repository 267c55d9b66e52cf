/**
 * QUIC beside TLS over TCP between two network namespaces whose link loses packets: time from a question of 128 bytes to its
 * answer, on links that ask 20 times a second. Loss is nftables' (`numgen random`), in both directions, at the server's end.
 * Takes root, iproute2 and nftables.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TestNetwork } from '../../test/support/net-namespace.js';
import type { Histogram } from './load/histogram.js';
import { LinkFleet, type LinkProtocol } from './load/link-fleet.js';
import { BenchError } from './measure/bench-error.js';
import { removeAtExit } from './measure/child-process.js';
import { findNft, whyNoLossyNetwork } from './measure/lossy-network.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario } from './measure/scenario.js';

const LINKS = 20;
const EVERY_MS = 50;
const QUESTION = new Uint8Array(128);
const LOSSES = [0, 1, 5] as const;
const SERVER = `${import.meta.dirname}/node/echo-listeners.js`;

export const scenario: Scenario = {
  defaults: { seconds: 8, connections: LINKS },
  run: async ({ windowMs }) => {
    const missing = whyNoLossyNetwork();
    if (missing !== undefined) throw new BenchError(missing);
    const teardowns: (() => unknown)[] = [];
    process.on('exit', () => {
      for (const undo of teardowns.toReversed()) undo();
    });
    const host = TestNetwork.create({ teardown: (undo) => teardowns.push(undo) }).addHost();
    const dir = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
    removeAtExit(dir);
    const server = spawn('ip', [...host.wrapper.slice(1), process.execPath, SERVER, host.address, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    teardowns.push(() => server.kill());
    const ports = await firstLine(server.stdout);
    const ca = readFileSync(join(dir, 'ca.crt'), 'utf8');
    const figures: Figure[] = [];
    for (const loss of LOSSES) {
      setLoss(host.wrapper, loss);
      for (const protocol of ['quic', 'tls'] as const) {
        const to = { protocol, host: host.address, port: ports[protocol], ca, size: LINKS, inFlight: LINKS };
        const fleet = await LinkFleet.open(to);
        const latencyUs = await fleet.paced(QUESTION, EVERY_MS, windowMs);
        await fleet.close();
        figures.push(...quantiles(`${loss} % loss, ${protocol}`, latencyUs));
      }
    }
    return {
      title: 'QUIC beside TLS on a network that loses packets',
      conditions: {
        links: `${LINKS}, each ${1e3 / EVERY_MS} questions of ${QUESTION.length} bytes a second`,
        path: 'veth between two namespaces, nftables drops in both directions',
        server: 'transports alone, echo',
        window: `${windowMs / 1e3} s`,
      },
      figures,
      notes: ['Each link asks again every 50 ms, so both protocols hear of a loss by the next question.'],
    };
  },
};

function quantiles(name: string, latencyUs: Histogram): Figure[] {
  const ms = (label: string, share: number): Figure => ({
    name: `${name}, ${label}`,
    value: latencyUs.quantile(share) / 1e3,
    unit: 'ms',
  });
  return [ms('p50', 0.5), ms('p90', 0.9), ms('p99', 0.99)];
}

function setLoss(wrapper: readonly string[], percent: number): void {
  const drop = percent === 0 ? '' : `numgen random mod 100 < ${percent} drop`;
  const rules = `
    table ip loss
    delete table ip loss
    table ip loss {
      chain in { type filter hook input priority 0; ${drop}; }
      chain out { type filter hook output priority 0; ${drop}; }
    }`;
  execFileSync('ip', [...wrapper.slice(1), findNft() as string, '-f', '-'], { input: rules });
}

function firstLine(stream: NodeJS.ReadableStream): Promise<Record<LinkProtocol, number>> {
  return new Promise((resolve) => createInterface({ input: stream }).once('line', (line) => resolve(JSON.parse(line))));
}

await runAsMain(import.meta, scenario);
