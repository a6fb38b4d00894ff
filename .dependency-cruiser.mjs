/**
 * Which module of src/ may import which (../shared/design.md, docs/architecture.md). Paths are resolved, and imports of types and dynamic
 * imports count as any other. `npm run lint` runs it; test/integration/lint.test.ts proves that it sees what it has to see.
 */

/** Every module may import itself and common. */
const modules = {
  analysis: ['pcap'],
  app: ['analysis', 'capture', 'cluster', 'google', 'inputs', 'pcap', 'report', 'runner', 'ssh'],
  capture: ['cluster', 'ssh', 'pcap'],
  cluster: [],
  common: [],
  google: [],
  inputs: [],
  pcap: [],
  report: ['analysis'],
  runner: [],
  ssh: [],
}
const entryPoints = '^src/(index|main|post|analyze)\\.ts$'
/** Files that a process is started with, or that jest.config.js names. */
const startedByPath =
  '^test/(reporter\\.js|strip-types\\.js|runner/fixture/|sandbox/(cli|demo)\\.ts|sandbox/results/(client|upload-raw)\\.ts|support/ask-version\\.ts)'
const anyOf = (names) => `(${names.join('|')})`

const boundaries = Object.entries(modules).map(([module, others]) => ({
  name: `imports-of-${module}`,
  comment: `${module}/ may import ${['common', ...others].join(', ')} and nothing else of src/`,
  severity: 'error',
  from: { path: `^src/${module}/` },
  to: { path: '^src/', pathNot: `^src/${anyOf([module, 'common', ...others])}/` },
}))

export default {
  forbidden: [
    ...boundaries,
    {
      name: 'known-module',
      comment:
        'A new folder or a file beside the entry points needs a line in .dependency-cruiser.mjs that says what it may import',
      severity: 'error',
      from: { path: '^src/', pathNot: [entryPoints, `^src/${anyOf(Object.keys(modules))}/`] },
      to: {},
    },
    {
      name: 'no-cycle',
      comment: 'Two files that import each other cannot be read one after the other',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-test-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'resolvable',
      comment: 'The imported file or package does not exist',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-package',
      comment: 'The imported package is not in package.json',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unused-file',
      comment: 'Nothing that src/index.ts or src/analyze.ts imports leads to this file',
      severity: 'error',
      from: { path: '^src/(index|analyze)\\.ts$' },
      to: { path: '^src/', pathNot: ['^src/(index|analyze)\\.ts$', '\\.d\\.ts$'], reachable: false },
    },
    {
      name: 'no-unused-test-file',
      comment: 'No test, script or benchmark leads to this file',
      severity: 'error',
      from: { path: ['^test/.*\\.test\\.ts$', '^(bench|scripts)/', startedByPath] },
      to: { path: '^test/', pathNot: ['\\.test\\.ts$', startedByPath], reachable: false },
    },
    {
      name: 'unit-starts-no-process',
      comment: 'A test that starts a process belongs to test/integration',
      severity: 'error',
      from: { path: '^test/unit/' },
      to: { path: '^child_process$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.d.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
    cache: { folder: 'node_modules/.cache/dependency-cruiser', strategy: 'content' },
  },
}
