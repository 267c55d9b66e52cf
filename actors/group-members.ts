/**
 * The members of one group on one worker, in a plain array that a fan-out walks. While it walks, the array keeps
 * its order: who leaves becomes a hole, who joins is appended behind the end of the walk, so that every member is
 * served exactly once and nobody gets what was sent before the join.
 */
export class GroupMembers<Member> {
  #members: (Member | undefined)[] = [];
  readonly #places = new Map<Member, number>();
  #isWalking = false;

  get size(): number {
    return this.#places.size;
  }

  has(member: Member): boolean {
    return this.#places.has(member);
  }

  /** @returns whether it was not a member before */
  add(member: Member): boolean {
    if (this.#places.has(member)) return false;
    this.#places.set(member, this.#members.push(member) - 1);
    return true;
  }

  /** @returns whether it was a member */
  remove(member: Member): boolean {
    const place = this.#places.get(member);
    if (place === undefined) return false;
    this.#places.delete(member);
    if (this.#isWalking) {
      this.#members[place] = undefined;
      return true;
    }
    const last = this.#members.pop() as Member;
    if (last !== member) {
      this.#members[place] = last;
      this.#places.set(last, place);
    }
    return true;
  }

  all(): Member[] {
    return [...this.#places.keys()];
  }

  /** Begins a walk over those who are members now. @returns where it ends */
  beginWalk(): number {
    this.#isWalking = true;
    return this.#members.length;
  }

  /** The member at a place of the walk; `undefined` when it has left meanwhile. */
  at(place: number): Member | undefined {
    return this.#members[place];
  }

  /** Ends the walk and closes the holes it left. */
  endWalk(): void {
    this.#isWalking = false;
    if (this.#places.size === this.#members.length) return;
    this.#members = this.#members.filter((member) => member !== undefined);
    this.#members.forEach((member, place) => {
      this.#places.set(member as Member, place);
    });
  }
}
