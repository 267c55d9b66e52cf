// Fails early, with the reason, when npm scripts run on a Node older than the package supports: under
// `--ignore-scripts` the pinned `node` package leaves the system's Node in place.
const [major, minor] = process.version.slice(1).split('.').map(Number);
if (major < 22 || (major === 22 && minor < 20)) {
  console.error(`Trunkline needs Node >= 22.20, this is ${process.version}.`);
  console.error('Run `npm ci` without --ignore-scripts: it brings the pinned Node 24 into node_modules/.bin.');
  process.exit(1);
}
