/**
 * Where a device stands among all devices of a share: a number from 0 to below 100 that depends on the app, the device and
 * the name of the share alone. A share of 5 is everybody below 5, so it holds those of a share of 1, is the same at every
 * node and after every restart, and two shares of one size are different devices.
 */
import { hash } from 'node:crypto';

/** As many bits as a double holds exactly. */
const BYTES = 6;
const RANGE = 2 ** (BYTES * 8);

/** @param salt name of the rollout or policy whose share it is */
export function positionOf(salt: string, app: string, deviceId: string): number {
  // App names and salts have no NUL, so no two triples make one text.
  const digest = hash('sha1', `${salt}\0${app}\0${deviceId}`, 'hex');
  return (Number.parseInt(digest.slice(0, BYTES * 2), 16) / RANGE) * 100;
}
