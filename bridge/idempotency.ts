/**
 * Answers that are remembered by their idempotency key, so that a caller who heard none may ask again and the push is
 * made once. Concurrent duplicates wait for the first. A refusal is forgotten at once, because nothing was sent; a
 * fault of the node is remembered, because nobody knows.
 *
 * What is remembered is bounded for the whole node; whoever remembers most forgets first, so that one business cannot
 * push out what another relies on.
 */
import { TrunklineError } from '../protocol/index.js';
import { IdempotencyMismatchError } from './errors.js';

export const REMEMBERED_FOR_MS = 600_000;
export const MAX_REMEMBERED = 200_000;
export const MAX_REMEMBERED_BYTES = 64 * 1024 * 1024;
/** What an entry costs beside key and answer. */
const ENTRY_BYTES = 200;

export interface IdempotencyOptions {
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  readonly maxCount?: number;
  readonly maxBytes?: number;
}

export interface Remembered {
  /** The answer as it was first sent. */
  readonly text: string;
  /** It is not the first time. */
  readonly isReplay: boolean;
}

interface Entry {
  readonly fingerprint: string;
  readonly sinceMs: number;
  readonly answer: Promise<string>;
  /** 0 while the answer is not there; such an entry stays. */
  bytes: number;
}

/** One business's, oldest first. */
interface Book {
  readonly entries: Map<string, Entry>;
  bytes: number;
}

export class IdempotentAnswers {
  readonly #now: () => number;
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #books = new Map<string, Book>();
  #count = 0;
  #bytes = 0;

  constructor({ now, maxCount = MAX_REMEMBERED, maxBytes = MAX_REMEMBERED_BYTES }: IdempotencyOptions) {
    this.#now = now;
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param fingerprint the same for the same request only
   * @throws {IdempotencyMismatchError} the key was used for another request
   * @throws whatever `work` throws
   */
  async run(business: string, key: string, fingerprint: string, work: () => Promise<string>): Promise<Remembered> {
    const book = this.#book(business);
    this.#forgetOld(book);
    const known = book.entries.get(key);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) throw new IdempotencyMismatchError();
      return { text: await known.answer, isReplay: true };
    }
    const answer = work();
    const entry: Entry = { fingerprint, sinceMs: this.#now(), answer, bytes: 0 };
    book.entries.set(key, entry);
    this.#count += 1;
    try {
      const text = await answer;
      this.#weigh(book, key, entry, text.length);
      return { text, isReplay: false };
    } catch (error) {
      if (error instanceof TrunklineError) this.#forget(book, key, entry);
      else this.#weigh(book, key, entry, 0);
      throw error;
    }
  }

  #book(business: string): Book {
    let book = this.#books.get(business);
    if (book === undefined) {
      book = { entries: new Map(), bytes: 0 };
      this.#books.set(business, book);
    }
    return book;
  }

  #weigh(book: Book, key: string, entry: Entry, answerBytes: number): void {
    if (book.entries.get(key) !== entry) return;
    entry.bytes = ENTRY_BYTES + 2 * (key.length + answerBytes);
    book.bytes += entry.bytes;
    this.#bytes += entry.bytes;
    while (this.#count > this.#maxCount || this.#bytes > this.#maxBytes) {
      if (!this.#forgetOldest(this.#largestBook())) return;
    }
  }

  #largestBook(): Book | undefined {
    let largest: Book | undefined;
    for (const book of this.#books.values()) if (book.bytes > (largest?.bytes ?? 0)) largest = book;
    return largest;
  }

  #forgetOld(book: Book): void {
    const before = this.#now() - REMEMBERED_FOR_MS;
    for (const [key, entry] of book.entries) {
      if (entry.sinceMs > before) return;
      if (entry.bytes > 0) this.#forget(book, key, entry);
    }
  }

  /** @returns whether there was one to forget */
  #forgetOldest(book: Book | undefined): boolean {
    if (book === undefined) return false;
    for (const [key, entry] of book.entries) {
      if (entry.bytes === 0) continue;
      this.#forget(book, key, entry);
      return true;
    }
    return false;
  }

  #forget(book: Book, key: string, entry: Entry): void {
    if (book.entries.get(key) !== entry) return;
    book.entries.delete(key);
    book.bytes -= entry.bytes;
    this.#bytes -= entry.bytes;
    this.#count -= 1;
  }
}
