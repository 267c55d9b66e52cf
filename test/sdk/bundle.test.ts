import { gzipSync } from 'node:zlib';
import test from 'ava';
import { build } from 'esbuild';

/** 15 KiB was the aim; see docs/decisions/0094-browsers-get-a-small-codec.md. */
const MAX_GZIP_BYTES = 16.1 * 1024;

test('browser bundle: needs nothing of Node and stays small', async (t) => {
  const { outputFiles, metafile } = await build({
    entryPoints: ['dist/sdk/browser.js'],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    metafile: true,
    write: false,
  });
  const gzipBytes = gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
  t.true(gzipBytes <= MAX_GZIP_BYTES, `${gzipBytes} bytes`);
  const foreign = Object.keys(metafile.inputs).filter((path) => !/^dist\/(sdk|protocol)\//.test(path));
  t.deepEqual(foreign, []);
});
