/**
 * A few lines of a bulk push, sent together: what goes to devices is one question to the router, the rest goes beside
 * it. An overloaded node makes a stream slower and not poorer, so such lines are tried again for a while.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ProblemError } from '../../http/index.js';
import { TrunklineError } from '../../protocol/index.js';
import type { IdempotentAnswers } from '../idempotency.js';
import type { DeliveryResult, Push, RoutingService } from '../routing.js';
import type { Job } from './bulk-line.js';

const RETRY_MS = 20;
/** Lines that find the node overloaded for this long are given up. */
export const PATIENCE_MS = 10_000;

export interface BatchPorts {
  readonly routing: RoutingService;
  readonly answers: IdempotentAnswers;
  /** The business whose key came with the request. */
  readonly subject: string;
  /** What an error of no known kind is told as, logged on the way. */
  readonly onFault: (error: unknown) => ProblemError;
  readonly now: () => number;
  /** The caller is gone: nothing is worth trying again. */
  readonly signal: AbortSignal;
}

type Work = Exclude<Job['work'], ProblemError>;

/** @returns one line of answer a job, in their order, each with its end. Never rejects */
export async function sendBatch(ports: BatchPorts, jobs: readonly Job[]): Promise<string> {
  const together: { readonly place: number; readonly push: Push; readonly isSingle: boolean }[] = [];
  const bodies: (string | Promise<string>)[] = jobs.map(({ work }, place) => {
    if (work instanceof ProblemError) return errorBody(work);
    const push = pushOf(work);
    if (push === undefined || work.line.idempotencyKey !== undefined) return sendAlone(ports, work);
    together.push({ place, push, isSingle: work.target.kind === 'device' });
    return '';
  });
  if (together.length > 0) {
    const results = sendTogether(
      ports,
      together.map(({ push }) => push),
    );
    const sent = await results;
    together.forEach(({ place, push, isSingle }, i) => {
      bodies[place] = sent instanceof ProblemError ? errorBody(sent) : devicesBody(push, sent[i] ?? [], isSingle);
    });
  }
  let text = '';
  for (let i = 0; i < jobs.length; i++) {
    const body = bodies[i] as string | Promise<string>;
    text += `${(jobs[i] as Job).head}${typeof body === 'string' ? body : await body}}\n`;
  }
  return text;
}

function pushOf({ target, message }: Work): Push | undefined {
  if (target.kind !== 'device' && target.kind !== 'devices') return undefined;
  const { app } = target;
  return { devices: target.devices.map((deviceId) => ({ app, deviceId })), message };
}

async function sendTogether(ports: BatchPorts, pushes: readonly Push[]): Promise<DeliveryResult[][] | ProblemError> {
  try {
    return await patiently(ports, () => ports.routing.pushMany(pushes));
  } catch (error) {
    return problemOf(ports, error);
  }
}

async function sendAlone(ports: BatchPorts, work: Work): Promise<string> {
  const { line, message } = work;
  try {
    if (line.idempotencyKey === undefined) return await patiently(ports, () => send(ports, work));
    // An id that was made here would make every repetition another request.
    const { messageId: _, ...rest } = { ...line, ref: undefined };
    const given = JSON.stringify({ ...rest, messageId: line.messageId });
    const fingerprint = createHash('sha256').update('bulk\n').update(given).digest('base64');
    const { answers, subject } = ports;
    const { text } = await answers.run(subject, line.idempotencyKey, fingerprint, () =>
      patiently(ports, () => send(ports, work)),
    );
    return text;
  } catch (error) {
    return errorBody(problemOf(ports, error), message.messageId);
  }
}

async function send({ routing }: BatchPorts, work: Work): Promise<string> {
  const { target, message } = work;
  const id = `,"messageId":${JSON.stringify(message.messageId)}`;
  switch (target.kind) {
    case 'group': {
      const { offset, members, unanswered } = await routing.multicast(target.group, message);
      return `${id},"offset":${offset},"members":${members},"unanswered":${unanswered}`;
    }
    case 'user': {
      const [delivery] = await routing.pushToUsers(target.app, [target.user], message);
      return `${id},"devices":${JSON.stringify(delivery?.devices ?? [])}`;
    }
    default: {
      const push = pushOf(work) as Push;
      return devicesBody(push, await routing.push(push.devices, message), target.kind === 'device');
    }
  }
}

/** Tries again while the node is overloaded. */
async function patiently<T>({ now, signal }: BatchPorts, attempt: () => Promise<T>): Promise<T> {
  const endMs = now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isOverload = (error as { code?: unknown } | null)?.code === 'TRK_OVERLOADED';
      if (!isOverload || signal.aborted || now() >= endMs) throw error;
      await delay(RETRY_MS);
    }
  }
}

function problemOf(ports: BatchPorts, error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof TrunklineError) return new ProblemError(400, error.code, error.message);
  return ports.onFault(error);
}

const SIMPLE: Readonly<Partial<Record<string, string>>> = {
  delivered: ',"result":"delivered"',
  offline: ',"result":"offline"',
};

function devicesBody({ devices, message }: Push, results: readonly DeliveryResult[], isSingle: boolean): string {
  const id = `,"messageId":${JSON.stringify(message.messageId)}`;
  if (isSingle) return id + resultText(results[0]);
  const each = devices.map(({ deviceId }, i) => `{"device":${JSON.stringify(deviceId)}${resultText(results[i])}}`);
  return `${id},"results":[${each.join(',')}]`;
}

function resultText(outcome: DeliveryResult | undefined): string {
  const { result } = outcome ?? { result: 'unknown' as const };
  const simple = SIMPLE[result];
  if (simple !== undefined) return simple;
  return outcome?.result === 'dropped' ? `,"result":"dropped","reason":"${outcome.reason}"` : `,"result":"${result}"`;
}

/** @param messageId of a push that may have been made */
export function errorBody({ code, detail, errors }: ProblemError, messageId?: string): string {
  const id = messageId === undefined ? '' : `,"messageId":${JSON.stringify(messageId)}`;
  return `${id},"error":${JSON.stringify({ code, detail, ...(errors === undefined ? {} : { errors }) })}`;
}
