/**
 * The secret of a device whose id was minted here: an HMAC of its id under a master key, so that any number of
 * devices needs no storage. Losing the master key makes every minted device a stranger; reading it makes every
 * one forgeable.
 *
 * @see docs/control.md, "Trust"
 */
import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { InvalidKeyError } from './errors.js';
import { createSecretFile, ensureSecretDir, readSecretFile } from './secret-file.js';

const MASTER_KEY_FILE = 'device-secret.key';
const MASTER_KEY_BYTES = 32;
const DEVICE_ID_BYTES = 16;

export class DeviceSecrets {
  readonly #masterKey: Buffer;

  private constructor(masterKey: Buffer) {
    this.#masterKey = masterKey;
  }

  /**
   * Reads `<dataDir>/device-secret.key`; makes it (mode 0600) when absent.
   *
   * @throws {SecretExposedError} others than the owner may read it
   * @throws {InvalidKeyError} it does not hold 32 bytes in base64url
   */
  static async open(dataDir: string): Promise<DeviceSecrets> {
    await ensureSecretDir(dataDir);
    const path = join(dataDir, MASTER_KEY_FILE);
    let text = await readSecretFile(path);
    if (text === undefined) {
      await createSecretFile(path, `${randomBytes(MASTER_KEY_BYTES).toString('base64url')}\n`);
      text = (await readSecretFile(path)) ?? '';
    }
    const masterKey = Buffer.from(text.trim(), 'base64url');
    if (masterKey.length !== MASTER_KEY_BYTES) {
      throw new InvalidKeyError(path, `does not hold ${MASTER_KEY_BYTES} bytes in base64url`);
    }
    return new DeviceSecrets(masterKey);
  }

  /** @returns 43 characters of base64url, always the same for one device */
  secretOf(app: string, deviceId: string): string {
    // The app's name cannot hold a zero byte and the id comes last, so no two devices share an input.
    return createHmac('sha256', this.#masterKey).update(`trunkline-device\0${app}\0${deviceId}`).digest('base64url');
  }

  /** In constant time. */
  verify(app: string, deviceId: string, secret: string): boolean {
    return timingSafeEqual(digest(this.secretOf(app, deviceId)), digest(secret));
  }
}

/** 128 random bits: not guessable, never used twice. */
export function newDeviceId(): string {
  return randomBytes(DEVICE_ID_BYTES).toString('base64url');
}

const digest = (text: string) => hash('sha256', text, 'buffer');
