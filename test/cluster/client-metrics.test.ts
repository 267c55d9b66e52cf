import test from 'ava';
import { Registry } from 'prom-client';
import { ClientMetrics } from '../../cluster/client-metrics.js';

const KIND = { region: 'eu', appVersion: '1.2.0' };
const EU = 'region="eu",protocol="wss",app_version="1.2.0"';

test('client metrics: a report is added up by region, protocol and app version', async (t) => {
  const registry = new Registry();
  const metrics = new ClientMetrics(registry);
  metrics.take(KIND, 'ws', {
    'resolve-ms': '2',
    'connect-ms': '40',
    'secure-ms': '80.5',
    'login-ms': '30',
    'rtt-ms': '48',
    pings: '4',
    lost: '1',
    losers: '2',
    'heartbeat-ms': '90000',
    protocol: 'wss',
    why: 'raced',
  });
  const text = await registry.metrics();
  for (const line of [
    `trunkline_client_phase_seconds_sum{${EU},phase="connect"} 0.04`,
    `trunkline_client_phase_seconds_sum{${EU},phase="secure"} 0.0805`,
    `trunkline_client_phase_seconds_count{${EU},phase="login"} 1`,
    `trunkline_client_rtt_seconds_sum{${EU}} 0.048`,
    `trunkline_client_heartbeat_seconds_sum{${EU}} 90`,
    `trunkline_client_pings_total{${EU}} 4`,
    `trunkline_client_lost_pings_total{${EU}} 1`,
    `trunkline_client_failed_candidates_total{${EU}} 2`,
    `trunkline_client_choices_total{${EU},why="raced"} 1`,
    'trunkline_client_reports_total{result="taken"} 1',
  ]) {
    t.true(text.includes(`\n${line}\n`), line);
  }
});

test('client metrics: what is not in order is left out, and the rest of the report is taken', async (t) => {
  const registry = new Registry();
  const metrics = new ClientMetrics(registry);
  for (const bad of ['-1', 'NaN', '1e3', '', '99999999999', '86400001', '0x1', '1.', 'Infinity']) {
    metrics.take(KIND, 'wss', { 'connect-ms': bad, 'rtt-ms': '10', pings: bad, lost: '10001' });
  }
  metrics.take(KIND, 'wss', { protocol: 'carrier-pigeon', why: 'because "I" say\nso', unheard: 'of' });
  const text = await registry.metrics();
  t.true(text.includes(`trunkline_client_rtt_seconds_count{${EU}} 9\n`));
  t.false(text.includes('trunkline_client_phase_seconds_count'));
  t.false(text.includes('trunkline_client_pings_total{'));
  t.false(text.includes('trunkline_client_lost_pings_total{'));
  t.true(text.includes('trunkline_client_reports_total{result="partly"} 9\n'));
  t.true(text.includes('trunkline_client_reports_total{result="taken"} 1\n'));
  t.true(text.includes(`trunkline_client_choices_total{${EU},why="other"} 1\n`));
});
