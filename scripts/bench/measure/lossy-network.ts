/** Whether this machine can be made to lose packets: network namespaces and nftables, which take root. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const USUAL_PLACES = ['/usr/sbin', '/sbin'];

/** @returns why not; `undefined` if it can */
export function whyNoLossyNetwork(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const name = `trkbench${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0)
    return 'needs iproute2 and leave to make network namespaces';
  spawnSync('ip', ['netns', 'del', name]);
  const nft = findNft();
  if (nft === undefined) return 'needs nftables (/usr/sbin/nft)';
  return spawnSync(nft, ['list', 'tables']).status === 0 ? undefined : 'needs leave to use nftables';
}

/** A package of that name has a command too, which npm puts before the system's. */
export function findNft(): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), ...USUAL_PLACES];
  const own = places.filter((place) => !place.endsWith(join('node_modules', '.bin')));
  return own.map((place) => join(place, 'nft')).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
