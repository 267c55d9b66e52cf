/** Where the optional package of QUIC is not installed, or its binary does not load. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createCertificate } from '../support/certificate.js';
import { Installation } from '../support/installation.js';
import { startTestNode } from '../support/start-test-node.js';
import { testConfig } from '../support/test-config.js';

const MAIN = join('dist', 'cli', 'main.js');

function configFile(t: ExecutionContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'node.yaml');
  const options = { access: { quic: { port: 0, ...createCertificate(dir) } } };
  writeFileSync(file, JSON.stringify(testConfig(join(dir, 'data'), options)));
  return file;
}

test('quic missing: the check of a configuration and the start of a node say it', async (t) => {
  const installation = Installation.without(t, '@matrixai');
  const file = configFile(t);
  const check = await installation.run([MAIN, 'config', 'check', file]);
  t.is(check.code, 3);
  t.regex(check.stderr, /access\.quic: QUIC needs the optional package @matrixai\/quic and its binary for \w+-\w+/);

  const start = await installation.run([MAIN, 'start', '--json', '--config', file]);
  t.is(start.code, 1);
  t.is(start.stdout, '');
  const problem = JSON.parse(start.stderr.trim().split('\n').at(-1) ?? '');
  t.is(problem.code, 'TRK_QUIC_UNAVAILABLE');
  t.regex(problem.message, /Cannot find package '@matrixai\/quic'/);
});

test('quic missing: a binary that does not load is one that is not there', async (t) => {
  const installation = Installation.without(t, '@matrixai');
  installation.add('@matrixai/quic');
  const binary = installation.add(`@matrixai/quic-${process.platform}-${process.arch}`);
  for (const name of readdirSync(binary).filter((file) => file.endsWith('.node'))) {
    writeFileSync(join(binary, name), 'for another system');
  }
  const file = configFile(t);
  const check = await installation.run([MAIN, 'config', 'check', '--json', file]);
  t.is(check.code, 3);
  t.like(JSON.parse(check.stderr), { code: 'TRK_CONFIG_INVALID', problems: [{ path: 'access.quic' }] });
  const start = await installation.run([MAIN, 'start', '--json', '--config', file]);
  t.is(start.code, 1);
  t.is(JSON.parse(start.stderr.trim().split('\n').at(-1) ?? '').code, 'TRK_QUIC_UNAVAILABLE');
});

/** A program of the SDK: what it offers by itself, and how it fares when it is told to try QUIC first. */
const PROGRAM = `
  import { canConnectQuic, createClient, quicConnector, tcpConnector } from 'trunkline/sdk/node';
  const { token, expiresAtMs, quic, tcp } = JSON.parse(process.env.OFFER);
  const failures = [];
  const watched = (address, handlers) => quicConnector()(address, {
    ...handlers,
    onClose: (error, code) => { failures.push(error.code); handlers.onClose(error, code); },
  });
  const online = async (transports) => {
    const client = createClient({
      credentials: async () => ({ token, expiresAtMs, protocols: ['quic', 'tcp'], accessPoints: { quic: [quic], tcp: [tcp] } }),
      connectTimeoutMs: 600_000,
      racing: false,
      ...transports,
    });
    await client.connect();
    await client.close();
  };
  await online({});
  await online({ transports: { quic: watched, tcp: tcpConnector } });
  console.log(JSON.stringify({ can: canConnectQuic(), failures }));
  process.exit(0);
`;

test('quic missing: a client does not offer it; where it is told to, the next candidate wins at once', async (t) => {
  const installation = Installation.without(t, '@matrixai');
  const node = await startTestNode(t);
  const { token, expiresAtMs } = await node.issueToken('without-quic');
  const offer = JSON.stringify({ token, expiresAtMs, quic: node.tcp, tcp: node.tcp });
  const run = await installation.run(['--input-type=module', '--eval', PROGRAM], { OFFER: offer });
  t.is(run.stderr, '');
  t.deepEqual(JSON.parse(run.stdout), { can: false, failures: ['TRK_QUIC_UNAVAILABLE'] });
});
