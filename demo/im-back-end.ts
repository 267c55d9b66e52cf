/**
 * The sample back-end of `im`, messaging: a roster of who said hello, and messages from one device to another. It
 * keeps everything in memory.
 *
 * - `hello {name, wayIn?}`     puts the asking device on the roster; answers it; everybody else hears by batch push
 * - `who`                      answers the roster
 * - `send {to, text}`          pushes to the other device; answers what became of it
 * - `switch {device, choice}`  asks a device of the demo, by a call, to connect by another protocol
 */
import { type BackEndClient, Status } from '../sdk/backend/index.js';
import { AnswerError, type BackEnd, field, runBackEnd, textField } from './back-end-host.js';
import { DEMO_DEVICE_PREFIX } from './config.js';
import { Roster } from './roster.js';
import { isChoice, PROTOCOLS, readWayIn } from './way-in.js';

/** How often presence is asked for everybody on the roster. */
const PRESENCE_INTERVAL_MS = 2_000;
const MAX_NAME_LENGTH = 32;
const MAX_TEXT_LENGTH = 500;
/** As many devices as one batch may name. */
const MAX_PEOPLE = 1_000;
const MAX_DEVICE_ID_LENGTH = 64;
const SWITCH_DEADLINE_MS = 3_000;

function createImBackEnd(bridge: BackEndClient): BackEnd {
  const roster = new Roster();

  const broadcast = async (except?: string): Promise<void> => {
    const others = roster.list().filter(({ deviceId, online }) => online && deviceId !== except);
    if (others.length === 0) return;
    const payload = JSON.stringify({ roster: roster.list() });
    await bridge.pushToDevices(
      others.map(({ deviceId }) => deviceId),
      { payload, metadata: { kind: 'roster' } },
    );
  };

  const watchPresence = async (): Promise<void> => {
    const devices = roster.deviceIds();
    if (devices.length === 0) return;
    const answers = await bridge.presence(devices);
    const online = new Map(answers.map((answer) => [answer.device, answer.online]));
    if (roster.observe(online, Date.now())) await broadcast();
  };
  const timer = setInterval(() => {
    // The next round makes up for one that failed.
    watchPresence().catch(() => {});
  }, PRESENCE_INTERVAL_MS);

  return {
    methods: {
      hello: async (request) => {
        const name = textField(request, 'name', MAX_NAME_LENGTH);
        if (roster.deviceIds().length >= MAX_PEOPLE) throw new AnswerError(Status.resourceExhausted, 'full');
        const told = field(request, 'wayIn');
        const wayIn = readWayIn(told);
        if (told !== undefined && wayIn === undefined) {
          throw new AnswerError(Status.invalidArgument, 'wayIn must hold choice, protocol, why and losers');
        }
        const changed = roster.hello({ deviceId: request.device, name, wayIn }, Date.now());
        // The answer does not wait for the others, and their absence is no fault of the one who asked.
        if (changed) broadcast(request.device).catch(() => {});
        return { deviceId: request.device, roster: roster.list() };
      },
      who: () => ({ roster: roster.list() }),
      send: async (request) => {
        const to = textField(request, 'to', MAX_DEVICE_ID_LENGTH);
        const text = textField(request, 'text', MAX_TEXT_LENGTH);
        const message = { from: roster.nameOf(request.device), fromDevice: request.device, text };
        const { result, reason } = await bridge.pushToDevice(to, {
          payload: JSON.stringify(message),
          metadata: { kind: 'message' },
        });
        return { result, reason };
      },
      switch: async (request) => {
        const device = textField(request, 'device', MAX_DEVICE_ID_LENGTH);
        const choice = field(request, 'choice');
        if (!device.startsWith(DEMO_DEVICE_PREFIX)) {
          throw new AnswerError(
            Status.permissionDenied,
            `only devices whose id begins with ${DEMO_DEVICE_PREFIX} switch`,
          );
        }
        if (!isChoice(choice)) {
          throw new AnswerError(Status.invalidArgument, `choice must be race, ${PROTOCOLS.join(', ')}`);
        }
        const call = { method: 'switch', payload: choice, deadlineMs: SWITCH_DEADLINE_MS };
        const { status, statusName, payload } = await bridge.callDevice(device, call);
        if (status !== Status.ok) {
          const reason = new TextDecoder().decode(payload) || statusName;
          throw new AnswerError(status as Status, `${device} did not switch: ${reason}`);
        }
        return { device, choice };
      },
    },
    stop: () => clearInterval(timer),
  };
}

await runBackEnd(createImBackEnd);
