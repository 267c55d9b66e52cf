/** The audience of a node: authenticated connections in one group, pushed to as a back-end does, over the bridge. */
import { BulkPoster } from '../load/bulk-poster.js';
import { Fleet, type Protocol } from '../load/fleet.js';
import { HttpPoster } from '../load/http-poster.js';
import { BUSINESS_ID, loginFrom, startTrunkline, type TrunklineServer } from '../node/trunkline-server.js';
import type { Audience } from './audience.js';

const GROUP = 'room';
/** Enough that no message waits for another's answer, which comes when the group's worker has queued it. */
const POSTER_CONNECTIONS = 64;

/** One bulk push, a line a message, as a back-end does at high rates; or an HTTP request a message. */
export type Feed = 'stream' | 'requests';

export interface TrunklineAudienceOptions {
  readonly protocol: Protocol;
  readonly members: number;
  readonly feed: Feed;
  readonly cpuProfDir?: string | undefined;
  readonly onReads?: () => void;
}

export async function openTrunklineAudience(options: TrunklineAudienceOptions): Promise<Audience> {
  const { protocol, members, cpuProfDir, onReads } = options;
  const server = await startTrunkline({ cpuProfDir, secure: protocol === 'tls' || protocol === 'wss' });
  const login = loginFrom(await server.logins(members));
  const fleet = await Fleet.open({ protocol, port: server.port(protocol), size: members, login, onReads });
  await fleet.join(BUSINESS_ID, GROUP);
  const publisher = options.feed === 'stream' ? await openStream(server) : await openRequests(server);
  return {
    pid: server.pid,
    fleet,
    publish: (payload) => publisher.publish(payload.toString('base64')),
    failure: () => (server.process.hasExited ? `the node ended: ${server.process.lastWords}` : publisher.failure()),
    close: async () => {
      publisher.close();
      await fleet.close();
      await server.stop();
    },
  };
}

interface Publisher {
  publish(payloadBase64: string): void;
  failure(): string | undefined;
  close(): void;
}

async function openStream(server: TrunklineServer): Promise<Publisher> {
  const poster = await BulkPoster.open(server.bridge);
  return {
    publish: (payloadBase64) => poster.post(`{"group":"${GROUP}","payloadBase64":"${payloadBase64}"}\n`, 1),
    failure: () => poster.failure?.message,
    close: () => poster.close(),
  };
}

async function openRequests(server: TrunklineServer): Promise<Publisher> {
  const poster = await HttpPoster.open({ ...server.bridge, connections: POSTER_CONNECTIONS });
  let failure: string | undefined;
  const answered = (status: number, body: Buffer) => {
    if (status !== 200) failure ??= `a push was answered ${status}: ${body.toString().slice(0, 200)}`;
  };
  return {
    publish: (payloadBase64) => {
      const body = Buffer.from(`{"payloadBase64":"${payloadBase64}"}`, 'latin1');
      poster.post(poster.prepare(`/v1/groups/${GROUP}/push`, body), answered);
    },
    failure: () => failure,
    close: () => poster.close(),
  };
}
