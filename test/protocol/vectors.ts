/**
 * Reads `test/vectors/` and turns frames into the form the vectors are written in: byte fields as hex, absent
 * fields left out. The format is described in docs/protocol.md, "Test vectors".
 */
import { readFileSync } from 'node:fs';
import { type Frame, FrameType } from '../../protocol/index.js';

export interface FrameVector {
  readonly name: string;
  readonly hex: string;
  readonly fields: Fields;
}

export interface FrameVectors {
  readonly frame: string;
  readonly type: number;
  readonly cases: readonly FrameVector[];
}

export type Fields = Readonly<Record<string, unknown>>;

/** Fields that hold bytes, wherever they stand. */
const BYTE_FIELDS: ReadonlySet<string> = new Set(['payload', 'resumeSecret', 'secret']);

export function readVectors<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), 'utf8')) as T;
}

/** Every frame vector, with the frame's name before the vector's. */
export function readFrameVectors(): (FrameVector & { readonly type: number })[] {
  return Object.keys(FrameType).flatMap((file) => {
    const { frame, type, cases } = readVectors<FrameVectors>(file);
    return cases.map((vector) => ({ ...vector, type, name: `${frame}: ${vector.name}` }));
  });
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A frame as a vector writes it. */
export function toFields(frame: Frame): Fields {
  const { type: _, ...fields } = frame;
  return withoutAbsent(fields);
}

/** A vector's fields as a frame. */
export function toFrame(type: number, fields: Fields): Frame {
  return { ...(withBytes(fields) as object), type } as Frame;
}

function withoutAbsent(fields: object): Fields {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present.map(([key, value]) => [key, asVectorValue(key, value)]));
}

function asVectorValue(key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  return key === 'resume' ? withoutAbsent(value as object) : value;
}

function withBytes(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (BYTE_FIELDS.has(key)) return [key, fromHex(value as string)];
      return [key, key === 'resume' ? withBytes(value as Fields) : value];
    }),
  );
}
