/** What the app's own back-end does for a device that it knows: it says in a signed statement who the device is. */
import { SignJWT } from 'jose';
import { DEMO_APP } from './config.js';

/**
 * @param secret the app's `assertionSecret`
 * @see docs/control.md, "Assertions"
 */
export function assertDevice(deviceId: string, secret: string): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(DEMO_APP)
    .setAudience('trunkline')
    .setSubject(deviceId)
    .setExpirationTime('1m')
    .sign(Buffer.from(secret));
}
