/**
 * A first-in-first-out list whose members are its links, so that one leaves from the middle in constant time. Arrays
 * would copy, and a `Set` walks over the holes that its deleted members left at the front.
 */
export interface ChainLink<T> {
  previous: T | undefined;
  next: T | undefined;
}

export class Chain<T extends ChainLink<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  append(link: T): void {
    link.previous = this.#last;
    link.next = undefined;
    if (this.#last === undefined) this.#first = link;
    else this.#last.next = link;
    this.#last = link;
    this.#size += 1;
  }

  prepend(link: T): void {
    link.previous = undefined;
    link.next = this.#first;
    if (this.#first === undefined) this.#last = link;
    else this.#first.previous = link;
    this.#first = link;
    this.#size += 1;
  }

  /** @param link a member of this chain */
  remove(link: T): void {
    if (link.previous === undefined) this.#first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.#last = link.previous;
    else link.next.previous = link.previous;
    link.previous = undefined;
    link.next = undefined;
    this.#size -= 1;
  }
}
