import test from 'ava';
import { type ClientState, move } from '../../sdk/client-state.js';
import { IllegalStateError } from '../../sdk/index.js';

const ALLOWED: Record<ClientState, string> = {
  idle: 'bootstrapping connecting closed',
  bootstrapping: 'connecting waiting closed',
  connecting: 'handshaking waiting closed',
  handshaking: 'online connecting waiting closed',
  online: 'bootstrapping connecting handshaking waiting closed',
  waiting: 'bootstrapping connecting closed',
  closed: 'bootstrapping connecting',
};
const STATES = Object.keys(ALLOWED) as ClientState[];

for (const from of STATES) {
  test(`client state: ${from} leads to ${ALLOWED[from]} and nowhere else`, (t) => {
    for (const to of STATES) {
      if (ALLOWED[from].split(' ').includes(to)) t.is(move(from, to), to);
      else t.throws(() => move(from, to), { instanceOf: IllegalStateError, code: 'TRK_ILLEGAL_STATE' });
    }
  });
}
