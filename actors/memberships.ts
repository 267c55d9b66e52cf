/** The groups one session is a member of: JOIN, LEAVE, and their server-side twins. */
import { type JoinFrame, type LeaveFrame, MAX_NAME_BYTES, Status, utf8Length } from '../protocol/index.js';
import { type Business, matchesGroup } from './business.js';
import type { Group } from './group.js';
import type { GroupStream } from './router-link.js';
import type { Session } from './session.js';

export class Memberships {
  readonly #session: Session;
  readonly #groups = new Set<Group>();
  /** JOINs that wait for the router count against the limit too. */
  #joining = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  join(frame: JoinFrame): void {
    const business = this.#session.grants.get(frame.businessId);
    const refusal = this.#refusal(business, frame.group);
    if (business === undefined || refusal !== undefined) {
      return this.#session.respond(frame.requestId, refusal ?? Status.permissionDenied);
    }
    void this.#join(business, frame);
  }

  leave({ requestId, businessId, group: name }: LeaveFrame): void {
    const group = this.#session.worker.groups.find(businessId, name);
    const wasMember = group !== undefined && this.#leave(group);
    this.#session.respond(requestId, wasMember ? Status.ok : Status.notFound);
  }

  /** A back-end joins this device. */
  joinAt(
    business: Business,
    name: string,
    stream: GroupStream,
  ): 'joined' | 'already-member' | 'too-many-groups' | 'offline' {
    // Withdrawn since the router looked.
    if (!this.#session.grants.has(business.id)) return 'offline';
    const known = this.#session.worker.groups.find(business.id, name);
    if (known?.has(this.#session) === true) return 'already-member';
    if (this.#isFull()) return 'too-many-groups';
    this.#session.worker.groups.joinAt(business, name, this.#session, stream);
    this.#groups.add(this.#session.worker.groups.find(business.id, name) as Group);
    return 'joined';
  }

  /** A back-end removes this device; the client is told. @returns whether it was a member */
  remove(businessId: number, name: string): boolean {
    const group = this.#session.worker.groups.find(businessId, name);
    if (group === undefined || !this.#leave(group)) return false;
    this.#session.membershipEnded(group);
    return true;
  }

  forget(group: Group): void {
    this.#groups.delete(group);
  }

  /** The business's grant ended; the client is told of each group. */
  end(business: Business): void {
    for (const group of this.#groups) {
      if (group.business.id === business.id) this.remove(business.id, group.name);
    }
  }

  /** The session ended. */
  endAll(): void {
    for (const group of this.#groups) group.leave(this.#session);
    this.#groups.clear();
  }

  async #join(business: Business, { requestId, group: name, recover }: JoinFrame): Promise<void> {
    const session = this.#session;
    this.#joining += 1;
    try {
      const result = await session.worker.groups.join(business, name, session, {
        create: business.createGroupOnJoin,
        isStillWanted: () => this.#takesGroupsOf(business),
        onJoin: (group) => this.#groups.add(group),
      });
      if (!result.joined) return session.respond(requestId, this.#whyNotJoined(business));
      const { epoch, offset } = result.group;
      const position = { epoch, offset: String(offset) };
      session.respond(requestId, Status.ok, recover === undefined ? position : { ...position, recovered: 'false' });
    } catch {
      session.respond(requestId, Status.unavailable);
    } finally {
      this.#joining -= 1;
    }
  }

  #takesGroupsOf(business: Business): boolean {
    return this.#session.state === 'online' && this.#session.grants.has(business.id);
  }

  /** What has changed while the router was asked, if anything. */
  #whyNotJoined(business: Business): Status {
    if (!this.#session.grants.has(business.id)) return Status.permissionDenied;
    return this.#session.state === 'online' ? Status.notFound : Status.unavailable;
  }

  #leave(group: Group): boolean {
    this.#groups.delete(group);
    return group.leave(this.#session);
  }

  #refusal(business: Business | undefined, group: string): Status | undefined {
    if (business === undefined) return Status.permissionDenied;
    if (group.length === 0 || utf8Length(group) > MAX_NAME_BYTES) return Status.invalidArgument;
    const named = this.#session.claims.groups[business.name] ?? [];
    if (!matchesGroup(business.openGroups, group) && !matchesGroup(named, group)) return Status.permissionDenied;
    if (this.#session.state !== 'online') return Status.unavailable;
    if (this.#isFull() && !this.#isMember(business, group)) return Status.resourceExhausted;
    return undefined;
  }

  #isFull(): boolean {
    return this.#groups.size + this.#joining >= this.#session.worker.limits.groups;
  }

  #isMember(business: Business, name: string): boolean {
    return this.#session.worker.groups.find(business.id, name)?.has(this.#session) === true;
  }
}
