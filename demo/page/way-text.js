// By which protocol a device is connected and why, in words.

const REASONS = {
  only: 'the only way in that was offered',
  first: 'first in the order of the control layer',
  raced: 'first to answer in the race',
  remembered: 'worked on this network before',
  fallback: 'the better ones failed',
};

/** @param isChosen somebody chose this protocol and no other */
export function wayText({ protocol, why, losers = 0 }, isChosen) {
  const reason = isChosen ? 'chosen here' : (REASONS[why] ?? 'in the order of the control layer');
  return `${protocol}: ${reason}${losers > 0 ? `, ${losers} failed before` : ''}`;
}
