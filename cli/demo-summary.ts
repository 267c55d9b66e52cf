/**
 * What the demo prints once everything is up: addresses, and four commands to copy. Colour only where a terminal
 * shows it, so that a copied or piped line is the plain command.
 */
import type { Demo } from './run-demo.js';

const BOLD = 1;
const DIM = 2;

export interface SummaryOptions {
  readonly startedInMs: number;
  readonly colour: boolean;
}

export function demoSummary(
  demo: Pick<Demo, 'addresses' | 'devices' | 'curl' | 'connect'>,
  options: SummaryOptions,
): string {
  const paint = (style: number, text: string): string => (options.colour ? `\x1b[${style}m${text}\x1b[0m` : text);
  const { page, tcp, tls, quic, ws, wss, control, bridge } = demo.addresses;
  const row = (label: string, value: string, note = ''): string =>
    `  ${label.padEnd(10)}${value}${note === '' ? '' : `  ${paint(DIM, note)}`}`;
  return [
    '',
    `  ${paint(BOLD, 'Trunkline demo')}  ${paint(DIM, `up in ${(options.startedInMs / 1000).toFixed(1)} s, Ctrl-C ends it`)}`,
    '',
    row('Page', paint(BOLD, page), 'open it in two tabs: each tab is a device'),
    row('Access', `tcp ${tcp}  ${ws}`),
    row('', `tls ${tls}  ${wss}`),
    quic === undefined
      ? row('', paint(DIM, 'no quic: the optional package @matrixai/quic cannot be loaded here'))
      : row('', `quic ${quic}`, 'UDP'),
    row('Control', control),
    row('Bridge', bridge, 'API at /openapi.json, figures at /metrics'),
    row('Devices', demo.devices.join(', '), 'members of the live room; the page switches their protocol'),
    '',
    `  ${paint(DIM, 'Push something. The keys are made at each start and end with the demo.')}`,
    '',
    ...demo.curl.flatMap(({ title, command }) => [paint(DIM, `# ${title}`), command, '']),
    paint(DIM, '# be a device yourself, by any of the protocols; then /help'),
    demo.connect,
    '',
  ].join('\n');
}
