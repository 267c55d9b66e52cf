/** Ids of what waits for an answer: 1 to 2^32 - 1, and round again, by when whatever had one has long ended. */
const MAX_ID = 0xffff_ffff;

export function createIds(): () => number {
  let last = 0;
  return () => {
    last = last === MAX_ID ? 1 : last + 1;
    return last;
  };
}
