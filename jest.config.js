import { availableParallelism } from 'node:os'

/** Hostile inputs, servers and nodes: more than two minutes, so not a part of `npm test`. */
const securityFolders = ['integration/hostile', 'integration/inputs', 'sandbox/security']

const project = (name, folders, others = []) => ({
  displayName: name,
  testEnvironment: 'node',
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/strip-types.js' },
  testPathIgnorePatterns: ['/node_modules/', ...others.map((folder) => `<rootDir>/test/${folder}/`)],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
})

export default {
  // jest's own choice is the number of cores less one: on two cores, a single worker. Most tests wait for processes, so three are faster.
  maxWorkers: Math.max(3, availableParallelism() - 1),
  testTimeout: 15_000,
  reporters: ['default', '<rootDir>/test/reporter.js'],
  projects: [
    project('unit', ['unit']), // no process, no real tool
    project('integration', ['integration'], securityFolders), // real sshd, tcpdump, network namespaces, shells
    project('sandbox', ['sandbox', 'runner', 'examples'], securityFolders), // the committed dist against the embedded cluster and the fakes
    project('security', securityFolders), // every hostile value, server and node
    project('e2e', ['e2e']), // the committed dist against the cluster of $KUBECONFIG
    project('e2e-isolated', ['e2e-isolated']), // disturbs the cluster: never beside e2e
  ],
}
