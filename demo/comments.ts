/**
 * The audience of the demo's live room: an endless, repeatable stream of comments on a harbour camera at dawn. Names
 * and lines have lists of lengths without a common factor, so that pairs come around only after a long while.
 */

export interface Comment {
  readonly name: string;
  readonly text: string;
}

const NAMES = ['Ada', 'Bo', 'Chen', 'Dina', 'Emre', 'Fern', 'Gus', 'Hana', 'Ines', 'Jun', 'Kofi'];

const LINES = [
  'Good morning from the quay',
  'That light on the water',
  'Here comes the first ferry',
  'Count the gulls: I say nine',
  'Ten. One is behind the crane',
  'Is this camera new? So clear',
  'Coffee in hand, ready',
  'The fog is lifting on the left side',
  'What is the blue boat called?',
  'Tern II, it sails every day at six',
  'Never been up this early by choice',
  'The pilot boat is leaving',
  'I can almost smell the salt',
  'Look at the mast on the right',
  'Sun in about two minutes',
  'There it is',
  'Worth the alarm clock',
  'Hello from a train with bad wifi',
  'Still no gap in the numbers, nice',
  'The harbour master just waved',
  'He does that every morning',
  'A seal! Bottom right',
  'Saw it too',
  'Back tomorrow, same time',
  'Wind is turning north',
  'That container ship takes its time',
];

/** @param index any whole number from 0; the same index gives the same comment */
export function commentAt(index: number): Comment {
  return {
    name: NAMES[index % NAMES.length] as string,
    text: LINES[index % LINES.length] as string,
  };
}
