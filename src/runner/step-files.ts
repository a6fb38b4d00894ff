import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'

/** Sets an output of the step; does nothing outside of a workflow. @throws the file system's error */
export function setOutput(name: string, value: string | number): void {
  appendValue('GITHUB_OUTPUT', name, String(value))
}

/** Saves a value for the post step; does nothing outside of a workflow. @throws the file system's error */
export function saveState(name: string, value: unknown): void {
  appendValue('GITHUB_STATE', name, JSON.stringify(value))
}

/** GitHub drops a summary above 1 MiB as a whole. */
const maxSummaryBytes = 1_000_000

/** Adds to the summary of the job; does nothing outside of a workflow. @throws the file system's error */
export async function writeSummary(markdown: string): Promise<void> {
  const path = process.env['GITHUB_STEP_SUMMARY']
  if (path) await appendFile(path, Buffer.from(markdown).subarray(0, maxSummaryBytes))
}

/** `name<<delimiter`, the value, the delimiter: the form for values of several lines. A value cannot contain a delimiter that is not known before. */
function appendValue(variable: 'GITHUB_OUTPUT' | 'GITHUB_STATE', name: string, value: string): void {
  const path = process.env[variable]
  if (!path) return
  const delimiter = `ghadelimiter_${randomUUID()}`
  appendFileSync(path, `${name}<<${delimiter}\n${value}\n${delimiter}\n`)
}
