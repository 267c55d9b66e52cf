import test from 'ava';
import { decodeOutcomes, OutcomeCode } from '../../actors/outcome-batch.js';
import { type RouteClaim, RouterLink } from '../../actors/router-link.js';
import { turns } from '../support/until.js';

interface Sent {
  readonly topic: string;
  readonly message: Readonly<Record<string, unknown>>;
}

function linked(answer: (sent: Sent) => Promise<unknown> = () => Promise.resolve()) {
  const sent: Sent[] = [];
  const errors: unknown[] = [];
  const call = (topic: string, message: object) => {
    const one = { topic, message: message as Sent['message'] };
    sent.push(one);
    return answer(one);
  };
  const link = new RouterLink(3, { send: call, sendAndReceive: call }, (error) => errors.push(error));
  return { link, sent, errors, topics: () => sent.map(({ topic }) => topic) };
}

function claim(serial: number): RouteClaim {
  return { serial, app: 'demo', deviceId: `d${serial}`, uid: undefined, grants: [1] };
}

test('router link: the claims of one turn travel together, each gets its own fence', async (t) => {
  const { link, sent } = linked(({ message }) =>
    Promise.resolve({ fences: (message['claims'] as RouteClaim[]).map(({ serial }) => serial * 10) }),
  );
  const fences = [1, 2, 3].map((serial) => link.claim(claim(serial)));
  t.deepEqual(sent, []);
  t.deepEqual(await Promise.all(fences), [10, 20, 30]);
  t.is(sent.length, 1);
  t.is(sent[0]?.message['worker'], 3);
  t.is(await link.claim(claim(4)), 40);
  t.is(sent.length, 2);
});

test('router link: claims that fail are told so, the next ones try anew', async (t) => {
  let isDown = true;
  const { link } = linked(() => (isDown ? Promise.reject(new Error('away')) : Promise.resolve({ fences: [1] })));
  const results = await Promise.allSettled([link.claim(claim(1)), link.claim(claim(2))]);
  t.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  isDown = false;
  t.is(await link.claim(claim(3)), 1);
});

test('router link: an engine that is away is an error of its own kind, whatever the way over threads makes of errors', async (t) => {
  const { link } = linked(() => Promise.resolve({ isEngineAway: true, mayHaveArrived: true }));
  const error = await t.throwsAsync(link.claim(claim(1)), { code: 'TRK_ENGINE_UNAVAILABLE' });
  t.like(error, { mayHaveArrived: true, retryable: true });
  t.is(await link.restore([{ ...claim(1), fence: 10 }]), undefined);
});

test('router link: leaves, sizes and outcomes of one turn are one message each', async (t) => {
  const { link, sent, topics } = linked();
  for (const fence of [1, 2]) link.release({ app: 'demo', deviceId: `d${fence}`, fence, code: 4001 });
  for (const members of [1, 2, 3]) link.groupSize({ businessId: 7, group: 'a', members });
  link.groupSize({ businessId: 7, group: 'b', members: 1 });
  link.outcome(5, 0, OutcomeCode.delivered, 0);
  link.outcome(5, 1, OutcomeCode.slow, 0);
  await turns(2);
  t.deepEqual(topics(), ['releaseRoutes', 'groupSizes', 'outcomes']);
  t.like(sent[0]?.message['releases'], [{ fence: 1 }, { fence: 2 }]);
  t.deepEqual(sent[1]?.message['sizes'], [
    { businessId: 7, group: 'a', members: 3 },
    { businessId: 7, group: 'b', members: 1 },
  ]);
  t.deepEqual(
    [...decodeOutcomes(sent[2]?.message['outcomes'] as Uint8Array)].map(({ index, code }) => [index, code]),
    [
      [0, OutcomeCode.delivered],
      [1, OutcomeCode.slow],
    ],
  );
  await turns(2);
  t.is(sent.length, 3);
});

test('router link: a push id of 0 wants no outcome', async (t) => {
  const { link, sent } = linked();
  link.outcome(0, 3, OutcomeCode.delivered, 0);
  await turns(2);
  t.deepEqual(sent, []);
});

test('router link: a size that was reported does not come after the wish to listen again', async (t) => {
  const { link, topics } = linked(() => Promise.resolve({ stream: { epoch: 'e', offset: 4 } }));
  link.groupSize({ businessId: 7, group: 'a', members: 0 });
  t.deepEqual(await link.listenToGroup(7, 'a', false), { epoch: 'e', offset: 4 });
  await turns(2);
  t.deepEqual(topics(), ['groupSizes', 'listenToGroup']);
});

test('router link: a message that cannot be sent is an error of its own, and stops nothing', async (t) => {
  const { link, errors, topics } = linked(() => Promise.reject(new Error('away')));
  link.release({ app: 'demo', deviceId: 'd', fence: 1, code: 0 });
  link.groupSize({ businessId: 7, group: 'a', members: 1 });
  await turns(2);
  t.is(errors.length, 2);
  link.outcome(1, 0, OutcomeCode.delivered, 0);
  await turns(2);
  t.is(topics().at(-1), 'outcomes');
});
