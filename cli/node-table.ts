/** Nodes of a service as rows for a terminal. */
import type { ClusterAnswer } from '../bridge/index.js';
import { duration, table } from './table.js';

type Node = ClusterAnswer['nodes'][number];

const HEAD = [
  '',
  'NODE',
  'INCARNATION',
  'VERSION',
  'REGION',
  'ROLES',
  'STATE',
  'FOR',
  'LEASE AGE',
  'CONNECTIONS',
  'LOAD',
];

/** The node that answered has a star before it. */
export function nodeTable(nodes: readonly Node[]): string {
  return table(HEAD, nodes.map(row));
}

function row(node: Node): string[] {
  const { state, draining, workersUp, workers, leaseAgeMs, connections, connectionLimit } = node;
  const down = workers - workersUp;
  const remarks = [
    ...(draining ? ['draining'] : []),
    ...(state === 'joined' && down > 0 ? [`${down} of ${workers} workers down`] : []),
    ...(state === 'joined' ? [] : [node.reason]),
  ];
  return [
    node.own ? '*' : '',
    node.name,
    node.incarnation,
    node.version,
    node.region,
    node.roles.join(','),
    remarks.length === 0 ? state : `${state} (${remarks.join(', ')})`,
    duration(node.stateMs),
    state === 'joined' ? `${(leaseAgeMs / 1_000).toFixed(1)} s` : '-',
    `${connections} of ${connectionLimit}`,
    node.load.toFixed(2),
  ];
}
