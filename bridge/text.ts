/**
 * Names as the wire protocol bounds them: in bytes of UTF-8, which JSON Schema cannot say. The schema says the same
 * number of characters, an upper bound that generated clients may check.
 */
import { z } from 'zod';
import { utf8Length } from '../protocol/index.js';

/** Text of `minBytes` to `maxBytes` bytes of UTF-8. */
export function boundedText(minBytes: number, maxBytes: number): z.ZodString {
  return z
    .string()
    .min(minBytes, minBytes === 1 ? 'must not be empty' : `at least ${minBytes} bytes`)
    .max(maxBytes, { error: `at most ${maxBytes} bytes of UTF-8`, abort: true })
    .refine((text) => utf8Length(text) <= maxBytes, `at most ${maxBytes} bytes of UTF-8`)
    .refine(isWellFormed, 'not well-formed Unicode');
}

/** Whether `text` has no lone surrogate, which UTF-8 could not carry. */
export function isWellFormed(text: string): boolean {
  return (text as WellFormedString).isWellFormed();
}

/** ECMAScript 2024, in every Node that runs this; the compiler's library here is one year older. */
type WellFormedString = string & { isWellFormed(): boolean };
