/**
 * From a back-end's HTTP status to the status a device gets. The rows follow gRPC's canonical codes where HTTP has
 * a word for them; 3xx is not here, because a redirect is refused before anything is mapped.
 *
 * @see docs/integration.md, "Answering"
 */
import { Status } from '../protocol/index.js';

const BY_HTTP_STATUS: ReadonlyMap<number, Status> = new Map<number, Status>([
  [400, Status.invalidArgument],
  [401, Status.unauthenticated],
  [403, Status.permissionDenied],
  [404, Status.notFound],
  [409, Status.aborted],
  [412, Status.failedPrecondition],
  [429, Status.resourceExhausted],
  [499, Status.cancelled],
  [501, Status.unimplemented],
  [503, Status.unavailable],
  [504, Status.deadlineExceeded],
]);

/** 2xx is OK; another 4xx says the request was wrong, anything else that the back-end is. */
export function statusOfHttp(httpStatus: number): Status {
  if (httpStatus >= 200 && httpStatus < 300) return Status.ok;
  const status = BY_HTTP_STATUS.get(httpStatus);
  if (status !== undefined) return status;
  return httpStatus >= 400 && httpStatus < 500 ? Status.invalidArgument : Status.internal;
}

/** The value of a `trunkline-status` header. @returns undefined when it is no whole number from 0 to 16 */
export function parseStatus(text: string): Status | undefined {
  return /^(?:\d|1[0-6])$/.test(text) ? (Number(text) as Status) : undefined;
}
