/**
 * Why a device gets what it gets: a choice as the bootstrap makes it, told in full, and where the device is now. The
 * choice is made anew, since it is drawn and not kept; what it was drawn from is the same.
 */
import type { NodeRecord, ServiceContext } from '../cluster/index.js';
import { accessPointsOf } from './access-points.js';
import type { Choice, Chooser, Client } from './choice.js';
import { clientSettings } from './client-settings.js';
import { NoAccessPointError, NotReadyError } from './errors.js';
import type { ExplainedDevice, ExplainedNode, Explanation } from './explain-schemas.js';
import type { Decision } from './policies/index.js';

export type ExplainContext = Pick<ServiceContext, 'config' | 'node' | 'routing'>;

type FailedCondition = NonNullable<Decision['tried'][number]['failed']>;

interface DeviceName {
  readonly app: string;
  readonly deviceId: string;
}

/** As `actors/errors.ts` names it; the control layer knows the cluster and not the actors below. */
const ENGINE_UNAVAILABLE = 'TRK_ENGINE_UNAVAILABLE';

/** @param client without an app and a device to explain the choice alone */
export async function explain(client: Client, chooser: Chooser, context: ExplainContext): Promise<Explanation> {
  const choice = chooser.choose(client);
  const { decision, nodes: chosen } = choice;
  const { regions, chosenRegions, nodes, rounds, pools, chosenPool } = chosen;
  const { app, deviceId, attributes } = client;
  return {
    ...(app === undefined || deviceId === undefined ? {} : { device: await locate({ app, deviceId }, context) }),
    attributes: { ...attributes },
    regions: {
      ...(regions.asked === undefined ? {} : { asked: regions.asked }),
      home: regions.home,
      by: regions.by,
      known: regions.known,
      steps: regions.steps.map((step) => [...step]),
      chosen: [...chosenRegions],
    },
    policies: decision.tried.map(({ policy, failed }) => ({
      policy,
      matched: failed === undefined,
      ...(failed === undefined ? {} : { failed: failureOf(failed, decision.subject) }),
    })),
    settings: [...decision.givenBy].map(([setting, policy]) => ({
      setting,
      value: valueAt(decision.settings, setting),
      policy,
    })),
    pools: {
      steps: [...pools],
      ...(chosenPool === undefined ? {} : { chosen: chosenPool }),
      empty: pools.slice(0, chosenPool === undefined ? pools.length : pools.indexOf(chosenPool)),
    },
    nodes: nodes.map(({ record, leftOut }) => ({
      ...summaryOf(record),
      region: record.region,
      pool: chooser.poolOf(record),
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

function failureOf(failed: FailedCondition, subject: Decision['subject']) {
  return { condition: failed.field, wanted: failed.wanted(subject), met: failed.met(subject) };
}

/** @param setting `pools`, or `features.NAME` with whatever the name holds */
function valueAt(settings: Decision['settings'], setting: string): unknown {
  const dot = setting.indexOf('.');
  if (dot === -1) return settings[setting as keyof Decision['settings']];
  const map = settings[setting.slice(0, dot) as 'features' | 'limits'] as Record<string, unknown> | undefined;
  return map?.[setting.slice(dot + 1)];
}

function outcomeOf({ decision, nodes }: Choice, { config }: ExplainContext): Pick<Explanation, 'answer' | 'refused'> {
  try {
    const { accessPoints, protocols } = accessPointsOf(nodes);
    const settings = clientSettings(decision, config);
    return { answer: { accessPoints: { ...accessPoints }, protocols: [...protocols], settings } };
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

function summaryOf(record: NodeRecord): Omit<ExplainedNode, 'region' | 'pool' | 'leftOut'> {
  const { load, connections, connectionLimit } = record;
  return { ...nameOf(record), load, connections, connectionLimit };
}
