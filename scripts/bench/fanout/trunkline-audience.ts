/** The audience of a node: authenticated connections in one group, pushed to as a back-end does, over the bridge. */
import { Fleet, type Protocol } from '../load/fleet.js';
import { HttpPoster } from '../load/http-poster.js';
import { BUSINESS_ID, loginFrom, startTrunkline } from '../node/trunkline-server.js';
import type { Audience } from './audience.js';

const GROUP = 'room';
/** Enough that no message waits for another's answer, which comes when the group's worker has queued it. */
const POSTER_CONNECTIONS = 64;

export interface TrunklineAudienceOptions {
  readonly protocol: Protocol;
  readonly members: number;
  readonly cpuProfDir?: string | undefined;
  readonly onReads?: () => void;
}

export async function openTrunklineAudience(options: TrunklineAudienceOptions): Promise<Audience> {
  const { protocol, members, cpuProfDir, onReads } = options;
  const server = await startTrunkline({ cpuProfDir, secure: protocol === 'tls' || protocol === 'wss' });
  const login = loginFrom(await server.logins(members));
  const fleet = await Fleet.open({ protocol, port: server.port(protocol), size: members, login, onReads });
  await fleet.join(BUSINESS_ID, GROUP);
  const poster = await HttpPoster.open({ ...server.bridge, connections: POSTER_CONNECTIONS });
  let failure: string | undefined;
  const answered = (status: number, body: Buffer) => {
    if (status !== 200) failure ??= `a push was answered ${status}: ${body.toString().slice(0, 200)}`;
  };
  return {
    pid: server.pid,
    fleet,
    publish: (payload) => {
      const body = Buffer.from(`{"payloadBase64":"${payload.toString('base64')}"}`, 'latin1');
      poster.post(poster.prepare(`/v1/groups/${GROUP}/push`, body), answered);
    },
    failure: () => (server.process.hasExited ? `the node ended: ${server.process.lastWords}` : failure),
    close: async () => {
      poster.close();
      await fleet.close();
      await server.stop();
    },
  };
}
