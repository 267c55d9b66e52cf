// Builds everything into dist/: TypeScript, the browser bundles, and the files that are not code.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const SCHEMA = 'config/trunkline.schema.json';
const ASSETS = ['config/trunkline.sample.yaml', 'config/policies.sample.yaml', SCHEMA, 'demo/page', 'test/vectors'];
const BUNDLES = [
  { entry: 'dist/sdk/browser.js', out: 'dist/sdk/trunkline.browser.js' },
  { entry: 'dist/sdk/shared.js', out: 'dist/sdk/trunkline.shared.js' },
  { entry: 'dist/sdk/shared-worker.js', out: 'dist/sdk/trunkline.shared-worker.js' },
];
// The shared client loads the browser's client only where there is no SharedWorker: a bundle of its own.
const ownClient = {
  name: 'own-client',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\/browser\.js$/ }, () => ({ path: './trunkline.browser.js', external: true }));
  },
};

if (!process.argv.includes('--keep')) rmSync('dist', { recursive: true, force: true });
execFileSync('tsc', [], { stdio: 'inherit' });
chmodSync('dist/cli/main.js', 0o755);
const { configJsonSchemaText } = await import('../dist/config/index.js');
writeFileSync(SCHEMA, configJsonSchemaText());
for (const asset of ASSETS) {
  if (existsSync(asset)) cpSync(asset, `dist/${asset}`, { recursive: true });
}
for (const { entry, out } of BUNDLES) {
  await build({
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    format: 'esm',
    minify: true,
    target: 'es2022',
    plugins: [ownClient],
  });
  const bytes = readFileSync(out);
  console.log(`${out}: ${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} gzipped`);
}
