const project = (name, folders) => ({
  displayName: name,
  testEnvironment: 'node',
  testMatch: folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/strip-types.js' },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
})

export default {
  testTimeout: 15_000, // two cores, two test files at a time
  reporters: ['default', '<rootDir>/test/reporter.js'],
  projects: [project('unit', ['unit']), project('sandbox', ['sandbox', 'runner', 'examples']), project('e2e', ['e2e'])],
}
