/** The state diagrams of `docs/lifecycle.md` against the tables in the code: the same moves, no more and no fewer. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { type ConnectionState, move as moveConnection } from '../../actors/connection-state.js';
import { moveOwn, movePeer, type OwnState, type PeerState } from '../../cluster/membership/states.js';
import { type ClientState, move as moveClient } from '../../sdk/client-state.js';

const SESSION: readonly ConnectionState[] = ['handshaking', 'online', 'draining', 'closed'];
const CLIENT: readonly ClientState[] = [
  'idle',
  'bootstrapping',
  'connecting',
  'handshaking',
  'online',
  'waiting',
  'closed',
];

test('lifecycle document: the diagram of a session is its table', (t) => {
  t.deepEqual(drawn('A session'), allowed(SESSION, moveConnection));
});

test('lifecycle document: the diagram of a client is its table, with close() from every state', (t) => {
  const closing = CLIENT.filter((state) => state !== 'closed').map((state) => `${state} --> closed`);
  const moves = new Set([...drawn('A client'), ...closing]);
  t.deepEqual([...moves].toSorted(), allowed(CLIENT, moveClient));
});

const PEER: readonly PeerState[] = ['joined', 'suspect', 'gone'];
const OWN: readonly OwnState[] = ['unregistered', 'registered', 'cut off', 'sent away', 'withdrawn'];

test('lifecycle document: the diagrams of another node and of the own one are their tables', (t) => {
  t.deepEqual(drawn('A node among others'), allowed(PEER, movePeer));
  const camelCase = (move: string) =>
    move.replaceAll(/(cut|sent) (\w)/g, (_, word, letter) => word + letter.toUpperCase());
  t.deepEqual(drawn('A node among others', 1), allowed(OWN, moveOwn).map(camelCase).toSorted());
});

/** @param which of the diagrams below the heading */
function drawn(heading: string, which = 0): string[] {
  const document = readFileSync('docs/lifecycle.md', 'utf8');
  const section = document.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const diagrams = [...section.matchAll(/```mermaid\nstateDiagram-v2\n([\s\S]*?)```/g)];
  const diagram = diagrams[which]?.[1] ?? '';
  const moves = [...diagram.matchAll(/^ +(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} --> ${to}`);
  return [...new Set(moves)].toSorted();
}

function allowed<S extends string>(states: readonly S[], move: (from: S, to: S) => S): string[] {
  const moves = states.flatMap((from) =>
    states.filter((to) => isAllowed(() => move(from, to))).map((to) => `${from} --> ${to}`),
  );
  return moves.toSorted();
}

function isAllowed(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
