/**
 * The audience of a bare server. The generator sends it finished PUSH frames of the form and length that a node
 * would send, so that both servers move the same bytes.
 */
import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameType } from '../../../protocol/index.js';
import { startBareFanout } from '../baseline/bare-servers.js';
import { Fleet, type Protocol } from '../load/fleet.js';
import type { Audience } from './audience.js';

/** As long as the ids that the bridge makes. */
const MESSAGE_ID = '00000000-0000';

export interface BareAudienceOptions {
  readonly protocol: Protocol;
  readonly members: number;
  /** How long the bare server gathers. */
  readonly windowMs: number;
  readonly onReads?: () => void;
}

export async function openBareAudience(options: BareAudienceOptions): Promise<Audience> {
  const { protocol, members, windowMs, onReads } = options;
  const server = await startBareFanout(protocol, windowMs);
  const fleet = await Fleet.open({ protocol, port: server.port, size: members, onReads });
  const feed = connect({ host: '127.0.0.1', port: server.feedPort, noDelay: true });
  await new Promise((resolve, reject) => feed.once('connect', resolve).once('error', reject));
  await acceptedBy(feed, members);
  let offset = 0;
  return {
    pid: server.process.pid,
    fleet,
    publish: (payload) => feed.write(pushFrame(payload, ++offset)),
    failure: () => (server.process.hasExited ? `the bare server ended: ${server.process.lastWords}` : undefined),
    close: async () => {
      feed.destroy();
      await fleet.close();
      await server.process.stop();
    },
  };
}

/** The server says on the feed when a link has become a member. */
async function acceptedBy(feed: Socket, members: number): Promise<void> {
  let accepted = 0;
  for await (const chunk of feed.iterator({ destroyOnReturn: false })) {
    accepted += (chunk as Buffer).length;
    if (accepted === members) break;
  }
  feed.resume();
}

function pushFrame(payload: Buffer, offset: number): Uint8Array {
  return encodeFrame({
    type: FrameType.push,
    businessId: 1,
    messageId: MESSAGE_ID,
    multicast: { group: 'room', offset },
    metadata: {},
    payload,
  });
}
