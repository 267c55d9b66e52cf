/**
 * Tokens that somebody made up, or had once: over real TCP and WebSocket links, each with its documented close code, and
 * nobody else notices.
 */
import { createHmac, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { type JWTPayload, SignJWT } from 'jose';
import WebSocket from 'ws';
import {
  CloseCode,
  DEFAULT_MAX_FRAME_BYTES,
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameType,
  Status,
} from '../../protocol/index.js';
import { type SigningKey, SigningKeys } from '../../tokens/index.js';
import { attack } from '../support/attack.js';
import type { InspectedNode } from '../support/inspected-node.js';
import { shareInspectedNode } from '../support/share-inspected-node.js';
import { TEST_KEYS } from '../support/test-config.js';

/** Of each forgery and transport. */
const TRIES = 5;

const shared = shareInspectedNode();

interface Refusal {
  /** Of the CONNACK before the end; absent when the frame itself was wrong. */
  readonly status: number | undefined;
  readonly closeCode: number | undefined;
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowS = () => Math.floor(Date.now() / 1000);

function claims(changes: JWTPayload = {}): JWTPayload {
  const times = { iat: nowS(), exp: nowS() + 600 };
  return { iss: 'trunkline', aud: 'demo', sub: 'mallory', jti: randomUUID(), biz: ['im'], ...times, ...changes };
}

function signed(key: SigningKey, changes: JWTPayload = {}, header: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT(claims(changes))
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, ...header })
    .sign(key.privateKey);
}

/** HS256 with a secret that everybody knows. */
function symmetric(kid: string, secret: string | Buffer): string {
  const text = `${base64url({ alg: 'HS256', typ: 'JWT', kid })}.${base64url(claims())}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** The claims of one good token under the signature of another. */
function changedOnTheWay(token: string): string {
  const [header, , signature] = token.split('.');
  return `${header}.${base64url(claims({ sub: 'somebody-else' }))}.${signature}`;
}

type Forge = (own: SigningKey, node: InspectedNode) => Promise<string> | string;

const stranger: SigningKey = { kid: 'stranger', privateKey: generateKeyPairSync('ed25519').privateKey };
const strangerAs = (kid: string) => ({ ...stranger, kid });
const publicHalf = ({ privateKey }: SigningKey) => createPublicKey(privateKey);
const many = (count: number) => Array.from({ length: count }, (_, index) => `g${index}`);

const FORGERIES: Readonly<Record<string, Forge>> = {
  'a signature of another key under our kid': (own) => signed(strangerAs(own.kid)),
  'claims changed under a good signature': async (own) => changedOnTheWay(await signed(own)),
  'a key id that does not exist': () => signed(stranger),
  'a key id that is a path': () => signed(strangerAs('../../keys/0.json')),
  'a key id that every object has': () => signed(strangerAs('__proto__')),
  'no key id': (own) => signed(own, {}, { kid: undefined }),
  'a key of its own in the header': () =>
    signed(stranger, {}, { jwk: publicHalf(stranger).export({ format: 'jwk' }), kid: undefined }),
  'another audience': (own) => signed(own, { aud: 'another-app' }),
  'a list of audiences': (own) => signed(own, { aud: ['demo'] }),
  'another issuer': (own) => signed(own, { iss: 'somebody' }),
  'not valid yet': (own) => signed(own, { nbf: nowS() + 60 }),
  'issued in the future': (own) => signed(own, { iat: nowS() + 60 }),
  'no expiry': (own) => signed(own, { exp: undefined as never }),
  'alg none without a signature': (own) => `${base64url({ alg: 'none', kid: own.kid })}.${base64url(claims())}.`,
  'alg none with a good signature': async (own) =>
    `${base64url({ alg: 'none', kid: own.kid })}.${(await signed(own)).split('.').slice(1).join('.')}`,
  'HS256 with the public key as PEM': (own) =>
    symmetric(own.kid, publicHalf(own).export({ format: 'pem', type: 'spki' })),
  'HS256 with the bytes of the public key': (own) =>
    symmetric(own.kid, Buffer.from(String(publicHalf(own).export({ format: 'jwk' }).x), 'base64url')),
  'HS256 with the app key': (own) => symmetric(own.kid, TEST_KEYS.app),
  'an extension that must be understood': (own) => signed(own, {}, { b64: true, crit: ['b64'] }),
  'a device id of 65 bytes': (own) => signed(own, { sub: 'd'.repeat(65) }),
  '65 businesses': (own) => signed(own, { biz: many(65) }),
  '257 groups of one business': (own) => signed(own, { grp: { im: many(257) } }),
  'a token id of 129 bytes': (own) => signed(own, { jti: 'j'.repeat(129) }),
  'claims that are a list': (own) => `${base64url({ alg: 'EdDSA', kid: own.kid })}.${base64url([])}.${'A'.repeat(86)}`,
  'an empty token': () => '',
  'two dots': () => '..',
  'a text of 4,096 bytes': () => 'a'.repeat(4_096),
  revoked: async (_own, node) => {
    const { token, jti } = (await node.issueToken('mallory')) as unknown as { token: string; jti: string };
    await node.call('POST', '/v1/revocations', { key: TEST_KEYS.app, body: { app: 'demo', jti } });
    return token;
  },
};

async function overTcp(node: InspectedNode, token: string): Promise<Refusal> {
  const link = await node.rawLink();
  link.send(connectFrame(token));
  await link.ended;
  return refusalIn(link.frames);
}

/** WebSocket's own word for a message above the limit, before any frame is read; it means what 4502 means. */
const MESSAGE_TOO_BIG = 1009;

/** Also looks at the close code of WebSocket itself. */
async function overWebSocket(t: ExecutionContext, node: InspectedNode, token: string): Promise<Refusal> {
  const socket = new WebSocket(`ws://${node.ws}/connect`, 'trunkline.v1');
  const decoder = new FrameDecoder(DEFAULT_MAX_FRAME_BYTES);
  const frames: Frame[] = [];
  socket.on('message', (message: Buffer) => {
    for (const raw of decoder.decode(message)) {
      const frame = decodeFrame(raw);
      if (frame !== undefined) frames.push(frame);
    }
  });
  await once(socket, 'open');
  socket.send(encodeFrame(connectFrame(token)));
  const [code] = await once(socket, 'close');
  if (code === MESSAGE_TOO_BIG) return { status: undefined, closeCode: CloseCode.frameTooLarge };
  const refusal = refusalIn(frames);
  t.is(code, refusal.closeCode);
  return refusal;
}

function connectFrame(token: string): Frame {
  return { type: FrameType.connect, minVersion: 1, maxVersion: 1, token, attributes: {} };
}

function refusalIn(frames: readonly Frame[]): Refusal {
  const last = frames.at(-1);
  const connack = frames.find((frame) => frame.type === FrameType.connack);
  return {
    status: connack?.type === FrameType.connack ? connack.status : undefined,
    closeCode: last?.type === FrameType.close ? last.code : undefined,
  };
}

async function refusesAlways(
  t: ExecutionContext,
  forge: (node: InspectedNode) => Promise<string> | string,
  expected: Refusal,
): Promise<void> {
  const node = shared();
  for (let i = 0; i < TRIES; i++) {
    const token = await forge(node);
    t.deepEqual(await overTcp(node, token), expected);
    t.deepEqual(await overWebSocket(t, node, token), expected);
  }
}

test.serial('hostile tokens: every forgery closes its link with 4100, and nothing else happens', async (t) => {
  const node = shared();
  const own = (await SigningKeys.open(node.dataDir)).current;
  // The same maker makes what is accepted.
  const good = await node.rawLink();
  t.is((await good.login(await signed(own, { sub: 'honest' }))).status, Status.ok);
  await attack(t, node, async () => {
    for (const [what, forge] of Object.entries(FORGERIES)) {
      const tried = await t.try(what, (attempt) =>
        refusesAlways(attempt, (at) => forge(own, at), {
          status: Status.unauthenticated,
          closeCode: CloseCode.invalidToken,
        }),
      );
      tried.commit();
    }
  });
  t.true(good.isOpen);
});

test.serial('hostile tokens: one that was good once closes with 4101', async (t) => {
  const own = (await SigningKeys.open(shared().dataDir)).current;
  await refusesAlways(t, () => signed(own, { iat: nowS() - 600, exp: nowS() - 1 }), {
    status: Status.unauthenticated,
    closeCode: CloseCode.tokenExpired,
  });
});

test.serial('hostile tokens: one longer than the protocol carries is not looked at, whatever it says', async (t) => {
  const own = (await SigningKeys.open(shared().dataDir)).current;
  const withGroups = (count: number) => signed(own, { grp: { im: many(count).map((name) => name.padEnd(24, 'x')) } });
  t.true((await withGroups(120)).length > 4_096);
  await refusesAlways(t, () => withGroups(120), { status: undefined, closeCode: CloseCode.malformedFrame });
  // With more than a stranger's frame may have, its length is all that is read.
  t.true((await withGroups(250)).length > 8_192);
  await refusesAlways(t, () => withGroups(250), { status: undefined, closeCode: CloseCode.frameTooLarge });
});

test.serial('hostile tokens: a flood of them costs the node its answers and no memory', async (t) => {
  const node = shared();
  const own = (await SigningKeys.open(node.dataDir)).current;
  await attack(t, node, async () => {
    for (let round = 0; round < 10; round++) {
      const tokens = await Promise.all(Array.from({ length: 50 }, () => signed(strangerAs(own.kid))));
      const refusals = await Promise.all(tokens.map((token) => overTcp(node, token)));
      t.true(refusals.every(({ closeCode }) => closeCode === CloseCode.invalidToken));
    }
  });
});

test.serial(
  'hostile tokens: AUTH with an expired or a forged one is answered 16, and the connection stays',
  async (t) => {
    const node = shared();
    const own = (await SigningKeys.open(node.dataDir)).current;
    const device = await node.rawDevice('honest-2');
    const sub = 'honest-2';
    const bad = [
      await signed(own, { sub, exp: nowS() - 1, iat: nowS() - 600 }),
      await signed(strangerAs(own.kid), { sub }),
      await signed(own, { sub: 'mallory' }),
      `${base64url({ alg: 'none', kid: own.kid })}.${base64url(claims({ sub }))}.`,
    ];
    for (const [i, token] of bad.entries()) {
      device.send({ type: FrameType.auth, requestId: i + 1, token });
      t.like(await device.next(FrameType.response), { requestId: i + 1, status: Status.unauthenticated });
    }
    device.send({ type: FrameType.auth, requestId: 9, token: await signed(own, { sub }) });
    t.like(await device.next(FrameType.response), { requestId: 9, status: Status.ok });
    device.cut();
  },
);
