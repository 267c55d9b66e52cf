/**
 * The sample back-end of `live`: one live room with an audience that never sleeps. While the room has members a
 * generated comment is multicast a few times a second.
 *
 * - `comment {room, name, text}` multicasts to the room; answers offset and members
 */
import { type BackEndClient, BridgeError, Status } from '../sdk/backend/index.js';
import { AnswerError, type BackEnd, runBackEnd, textField } from './back-end-host.js';
import { commentAt } from './comments.js';
import { DEMO_ROOM } from './config.js';

/** Between two generated comments. */
const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 750;
/** How often an empty room is looked at. */
const IDLE_PAUSE_MS = 1_000;
const MAX_TEXT_LENGTH = 200;

async function createLiveBackEnd(bridge: BackEndClient): Promise<BackEnd> {
  await bridge.createGroup(DEMO_ROOM);
  let timer: NodeJS.Timeout;
  let index = 0;

  const multicast = (comment: { name: string; text: string; deviceId?: string }, room: string) =>
    bridge.pushToGroup(room, { payload: JSON.stringify(comment), metadata: { kind: 'comment' } });

  /** @returns the pause until the next one */
  const tick = async (): Promise<number> => {
    const group = await bridge.groupInfo(DEMO_ROOM);
    if (group === undefined) await bridge.createGroup(DEMO_ROOM);
    if (group === undefined || group.members === 0) return IDLE_PAUSE_MS;
    await multicast(commentAt(index++), DEMO_ROOM);
    return MIN_PAUSE_MS + Math.random() * (MAX_PAUSE_MS - MIN_PAUSE_MS);
  };
  const loop = async (): Promise<void> => {
    // A bridge that is away for a moment is no reason to end.
    const pauseMs = await tick().catch(() => IDLE_PAUSE_MS);
    timer = setTimeout(loop, pauseMs);
  };
  timer = setTimeout(loop, IDLE_PAUSE_MS);

  return {
    methods: {
      comment: async (request) => {
        const room = textField(request, 'room', 128);
        const name = textField(request, 'name', 32);
        const text = textField(request, 'text', MAX_TEXT_LENGTH);
        try {
          const { offset, members } = await multicast({ name, text, deviceId: request.device }, room);
          return { offset, members };
        } catch (error) {
          if (!(error instanceof BridgeError) || error.code !== 'TRK_GROUP_NOT_FOUND') throw error;
          throw new AnswerError(Status.notFound, `there is no room ${room}`);
        }
      },
    },
    stop: () => clearTimeout(timer),
  };
}

await runBackEnd(createLiveBackEnd);
