import { appendFileSync } from 'node:fs'
import { relative } from 'node:path'
import { installCommand, which } from '../scripts/system-packages.mjs'

const root = new URL('../', import.meta.url).pathname

/** Says at the very end what the run skipped and what would run it. Writes the counts to $TEST_COUNTS, which .ci/run adds up. */
export default class SkipReporter {
  #isFiltered

  constructor({ testNamePattern }) {
    this.#isFiltered = Boolean(testNamePattern)
  }

  onRunComplete(contexts, results) {
    // With --testNamePattern the other tests are skipped because the caller wants it.
    const rows = this.#isFiltered ? [] : skippedTests(results).concat(lintRows(), otherProjectRows(contexts))
    // jest's own summary comes after every reporter; the table comes after the summary.
    if (rows.length > 0) process.once('exit', () => console.log(`\n${table(rows)}`))
    if (process.env.TEST_COUNTS) {
      // A file that could not even be loaded has no tests to fail; it counts as one.
      const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
      const skipped = results.numPendingTests + results.numTodoTests
      appendFileSync(process.env.TEST_COUNTS, `${results.numPassedTests} ${failed} ${skipped}\n`)
    }
  }
}

/** One row for what is missing in one file; test/support/needs.ts writes what that is into a title: "(skipped: WHAT; HOW)". */
function skippedTests({ testResults }) {
  const rows = new Map()
  for (const file of testResults) {
    const path = relative(root, file.testFilePath)
    for (const test of file.testResults) {
      if (!['pending', 'skipped', 'todo'].includes(test.status)) continue
      const titles = [...test.ancestorTitles, test.title]
      const lack = titles.map((title) => /\(skipped: (.*)\)$/.exec(title)?.[1]).find((found) => found !== undefined)
      const [needs, said = ''] = (lack ?? `not said by "${test.fullName}"`).split(/; (.*)/)
      const how = needs === 'root' ? asRoot(path) : (installCommand(needs.split(', ')) ?? said)
      const key = `${path}\n${needs}`
      const row = rows.get(key) ?? { what: path, tests: 0, needs, how }
      row.tests += 1
      rows.set(key, row)
    }
  }
  return [...rows.values()].map((row) => ({ ...row, tests: String(row.tests) }))
}

const asRoot = (path) => `sudo env "PATH=$PATH" npm run jest -- --testPathPatterns ${path.replace('.test.ts', '')}`

const lintRows = () =>
  which('shellcheck')
    ? []
    : [{ what: 'lint of the shell scripts', tests: '', needs: 'shellcheck', how: installCommand(['shellcheck']) ?? '' }]

/** The projects that are not part of `npm test`. */
const otherProjectRows = (contexts) =>
  [...contexts].some(({ config }) => config.displayName?.name === 'sandbox') && process.env.TEST_COUNTS === undefined
    ? [
        { what: 'the project security', tests: 'all', needs: 'two minutes', how: '.ci/run, or npm run test:security' },
        { what: 'test/e2e, test/e2e-isolated', tests: 'all', needs: 'a cluster', how: '.ci/run, or npm run test:e2e' },
      ]
    : []

function table(rows) {
  const head = { what: 'Skipped', tests: 'Tests', needs: 'Needs', how: 'To run it' }
  const lines = [head, ...rows].map(Object.values)
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column].length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
