import { appendFileSync } from 'node:fs'

/** Names what a run skipped, with the reason that its title tells, and, for .ci/run, writes the counts to $TEST_COUNTS. */
export default class SkipReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) =>
      file.testResults
        .filter(({ status }) => status === 'pending' || status === 'skipped' || status === 'todo')
        .map(({ fullName }) => fullName),
    )
    if (skipped.length > 0)
      console.log(`\nSkipped ${skipped.length}:\n${skipped.map((name) => `  ${name}`).join('\n')}`)
    if (process.env.TEST_COUNTS) {
      // A file that could not even be loaded has no tests to fail; it counts as one.
      const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
      appendFileSync(process.env.TEST_COUNTS, `${results.numPassedTests} ${failed} ${skipped.length}\n`)
    }
  }
}
