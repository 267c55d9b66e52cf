/**
 * Real proxies in front of a node: Debian's HAProxy and nginx, each with a configuration of the test's own on free ports
 * of loopback, ended with the test by its process id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { freePort } from './listening.js';

const HAPROXY = '/usr/sbin/haproxy';
const NGINX = '/usr/sbin/nginx';
const TRIES = 5;

/** Ports by the names that the configuration asked for. */
export type ProxyPorts<Name extends string> = Readonly<Record<Name, number>>;

/** @param sections frontends and backends, made with the ports that they bind */
export function startHaproxy<Name extends string>(
  t: ExecutionContext,
  names: readonly Name[],
  sections: (ports: ProxyPorts<Name>) => string,
): Promise<ProxyPorts<Name>> {
  return startProgram(t, names, (dir, ports) => {
    const file = join(dir, 'haproxy.cfg');
    writeFileSync(file, `${HAPROXY_DEFAULTS}\n${sections(ports)}\n`);
    return spawn(HAPROXY, ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  });
}

/** @param servers what stands inside `http { }` */
export function startNginx<Name extends string>(
  t: ExecutionContext,
  names: readonly Name[],
  servers: (ports: ProxyPorts<Name>) => string,
): Promise<ProxyPorts<Name>> {
  return startProgram(t, names, (dir, ports) => {
    const file = join(dir, 'nginx.conf');
    writeFileSync(file, nginxConfig(dir, servers(ports)));
    return spawn(NGINX, ['-p', dir, '-c', file, '-e', join(dir, 'error.log')], { stdio: ['ignore', 'pipe', 'pipe'] });
  });
}

async function startProgram<Name extends string>(
  t: ExecutionContext,
  names: readonly Name[],
  start: (dir: string, ports: ProxyPorts<Name>) => ChildProcess,
): Promise<ProxyPorts<Name>> {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  for (let attempt = 1; ; attempt++) {
    const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()])));
    const child = start(dir, ports as ProxyPorts<Name>);
    let words = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        words += text;
      });
    }
    const ended = once(child, 'close');
    t.teardown(async () => {
      child.kill('SIGTERM');
      await ended;
    });
    const isUp = await Promise.race([listens(Object.values<number>(ports)), ended.then(() => false)]);
    if (isUp) return ports as ProxyPorts<Name>;
    // Another test may have been faster with a port.
    if (attempt === TRIES) throw new Error(`${child.spawnfile} did not start: ${words}`);
  }
}

async function listens(ports: readonly number[]): Promise<true> {
  for (const port of ports) {
    while (!(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const HAPROXY_DEFAULTS = `global
  maxconn 500
defaults
  mode tcp
  maxconn 500
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s`;

function nginxConfig(dir: string, servers: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/${name};`,
  );
  return `daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
events { worker_connections 500; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  ${servers}
}
`;
}
