/**
 * Why a device gets what it gets: a choice as the bootstrap makes it, told in full, and where the device is now. The
 * choice is made anew, since it is drawn and not kept; what it was drawn from is the same.
 */
import type { NodeRecord, ServiceContext } from '../cluster/index.js';
import { accessPointsOf } from './access-points.js';
import { chooseFor } from './bootstrap.js';
import { NoAccessPointError, NotReadyError } from './errors.js';
import type { ExplainedDevice, ExplainedNode, Explanation } from './explain-schemas.js';
import type { NodeChoice } from './node-choice.js';

export type ExplainContext = Pick<ServiceContext, 'config' | 'node' | 'routing'>;

export interface DeviceName {
  readonly app: string;
  readonly deviceId: string;
}

/** As `actors/errors.ts` names it; the control layer knows the cluster and not the actors below. */
const ENGINE_UNAVAILABLE = 'TRK_ENGINE_UNAVAILABLE';

/** @param device left out to explain the choice alone */
export async function explain(
  device: DeviceName | undefined,
  attributes: Readonly<Record<string, string>>,
  context: ExplainContext,
): Promise<Explanation> {
  const choice = chooseFor(attributes, context);
  const { regions, chosenRegions, nodes, rounds } = choice;
  return {
    ...(device === undefined ? {} : { device: await locate(device, context) }),
    attributes: { ...attributes },
    regions: {
      ...(regions.asked === undefined ? {} : { asked: regions.asked }),
      known: regions.known,
      steps: regions.steps.map((step) => [...step]),
      chosen: [...chosenRegions],
    },
    nodes: nodes.map(({ record, leftOut }) => ({
      ...summaryOf(record),
      region: record.region,
      ...(leftOut === undefined ? {} : { leftOut }),
    })),
    rounds: rounds.map(({ compared, taken, by }) => ({
      compared: compared.map(nameOf),
      taken: nameOf(taken),
      by,
    })),
    ...outcomeOf(choice, context),
  };
}

function outcomeOf(choice: NodeChoice, { config }: ExplainContext): Pick<Explanation, 'answer' | 'refused'> {
  try {
    const { accessPoints, protocols } = accessPointsOf(choice, config.control.regions);
    return { answer: { accessPoints: { ...accessPoints }, protocols: [...protocols] } };
  } catch (error) {
    if (!(error instanceof NoAccessPointError || error instanceof NotReadyError)) throw error;
    return { refused: { code: error.code, detail: error.detail } };
  }
}

/** Where the device is online; an engine that is away is no reason not to explain the choice. */
async function locate({ app, deviceId }: DeviceName, { node, routing }: ExplainContext): Promise<ExplainedDevice> {
  try {
    const [found] = await routing.locate([{ app, deviceId }]);
    if (found === undefined) return { app, device: deviceId, state: 'offline' };
    const { connectionId, sinceMs } = found;
    const [incarnation = ''] = connectionId.split('-', 1);
    const record = node.nodes().find((each) => each.record.incarnation === incarnation)?.record;
    return {
      app,
      device: deviceId,
      state: 'online',
      connectionId,
      sinceMs,
      incarnation,
      ...(record === undefined ? {} : { node: record.name, region: record.region }),
    };
  } catch (error) {
    if ((error as { code?: unknown }).code !== ENGINE_UNAVAILABLE) throw error;
    return { app, device: deviceId, state: 'unknown' };
  }
}

const nameOf = ({ name, incarnation }: NodeRecord) => ({ node: name, incarnation });

function summaryOf(record: NodeRecord): Omit<ExplainedNode, 'region' | 'leftOut'> {
  const { load, connections, connectionLimit } = record;
  return { ...nameOf(record), load, connections, connectionLimit };
}
