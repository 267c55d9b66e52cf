import test from 'ava';
import fc from 'fast-check';
import { GroupMembers } from '../../actors/group-members.js';

test('group members: joining and leaving twice is told', (t) => {
  const members = new GroupMembers<string>();
  t.deepEqual([members.add('a'), members.add('a'), members.size, members.has('a')], [true, false, 1, true]);
  t.deepEqual([members.remove('a'), members.remove('a'), members.size, members.has('a')], [true, false, 0, false]);
  t.deepEqual(members.all(), []);
});

test('group members: who leaves during a walk is not served, who joins is not either', (t) => {
  const members = new GroupMembers<string>();
  for (const name of 'abcd') members.add(name);
  const end = members.beginWalk();
  const served = [members.at(0)];
  members.remove('a');
  members.remove('c');
  members.add('e');
  members.add('a');
  for (let place = 1; place < end; place++) served.push(members.at(place));
  members.endWalk();
  t.deepEqual(served, ['a', 'b', undefined, 'd']);
  t.deepEqual(members.all().sort(), ['a', 'b', 'd', 'e']);
});

type Step =
  | { readonly type: 'add' | 'remove'; readonly member: number }
  | { readonly type: 'walk' | 'serve'; readonly count: number };

const member = fc.integer({ min: 0, max: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('add' as const), member }),
  fc.record({ type: fc.constant('remove' as const), member }),
  fc.record({ type: fc.constant('serve' as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ type: fc.constant('walk' as const), count: fc.constant(0) }),
);

test('group members: behave as a set, and a walk serves those who stay exactly once', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const members = new GroupMembers<number>();
      const model = new Set<number>();
      /** Members since the walk began who have not been served yet. */
      let due = new Set<number>();
      let [cursor, end, isWalking] = [0, 0, false];
      const serve = (count: number) => {
        for (const stop = Math.min(cursor + count, end); cursor < stop; cursor++) {
          const served = members.at(cursor);
          if (served !== undefined && !due.delete(served)) throw new Error(`${served} served twice, or too early`);
        }
        if (!isWalking || cursor < end) return;
        if (due.size > 0) throw new Error(`${[...due]} not served`);
        members.endWalk();
        isWalking = false;
      };
      for (const action of steps) {
        if (action.type === 'add') {
          if (members.add(action.member) === model.has(action.member)) return false;
          model.add(action.member);
        } else if (action.type === 'remove') {
          if (members.remove(action.member) !== model.delete(action.member)) return false;
          due.delete(action.member);
        } else if (action.type === 'serve') {
          serve(action.count);
        } else if (!isWalking) {
          due = new Set(model);
          cursor = 0;
          end = members.beginWalk();
          isWalking = true;
          serve(0);
        }
        if (members.size !== model.size) return false;
      }
      serve(end);
      return members.all().every((one) => model.has(one)) && members.all().length === model.size;
    }),
    { numRuns: 500 },
  );
  t.pass();
});
