/** The lines a person types to a device: `/request im hello {"name":"me"}`. */

export type DeviceCommand =
  | { readonly verb: 'request'; readonly business: string; readonly method: string; readonly payload: string }
  | { readonly verb: 'join' | 'leave'; readonly business: string; readonly group: string }
  | { readonly verb: 'state' | 'help' | 'quit' };

export const HELP = [
  '/request BUSINESS METHOD [PAYLOAD]  ask the business; the payload is the rest of the line',
  '/join BUSINESS GROUP                pushes to the group come here too',
  '/leave BUSINESS GROUP',
  '/state                              how the connection is',
  '/quit                               or the end of the input',
].join('\n');

/** @returns undefined for an empty line; what is wrong, in words, when it is no command */
export function parseCommandLine(line: string): DeviceCommand | { readonly problem: string } | undefined {
  const text = line.trim();
  if (text === '') return undefined;
  const [verb, first, second, rest] = split(text);
  switch (verb) {
    case '/request':
      if (first === '' || second === '') return { problem: 'write: /request BUSINESS METHOD [PAYLOAD]' };
      return { verb: 'request', business: first, method: second, payload: rest };
    case '/join':
    case '/leave':
      if (first === '' || second === '' || rest !== '') return { problem: `write: ${verb} BUSINESS GROUP` };
      return { verb: verb === '/join' ? 'join' : 'leave', business: first, group: second };
    case '/state':
    case '/help':
    case '/quit':
      if (first !== '') return { problem: `${verb} stands alone` };
      return { verb: verb.slice(1) as 'state' | 'help' | 'quit' };
    default:
      return { problem: 'no such command; /help lists them' };
  }
}

/** Three words and the rest as it is. */
function split(text: string): [string, string, string, string] {
  const [, verb = '', first = '', second = '', rest = ''] = /^(\S+)\s*(\S*)\s*(\S*)\s?(.*)$/s.exec(text) ?? [];
  return [verb, first, second, rest];
}
