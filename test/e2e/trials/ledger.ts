import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { stripVTControlCharacters } from 'node:util'
import { testClusterScripts, testClusterState } from '../cluster.ts'

/** The result of a trial whose expectations all held. */
export interface Finding {
  /** a few words for the table */
  result: string
  /** the measured numbers, one line */
  figures: string
}

export interface Trial {
  name: string
  /** description for the table */
  done: string
  body: () => Promise<Finding>
  /** ms */
  timeout: number
}

interface Ledger {
  machine: { cores: number; kernel: string; node: string; date: string }
  rows: { group: string; trial: string; done: string; result: string; figures: string; passed: boolean }[]
}

const missing =
  testClusterState === undefined || testClusterScripts === undefined
    ? ' (skipped: TESTCLUSTER_RUN and TESTCLUSTER, for the test cluster on this machine, are not set)'
    : ''

/** A group of trials. They inspect the node and stop its components, so they run only on the test cluster of this machine. */
export function trials(group: string, body: (group: string) => void): void {
  const there = missing === '' ? describe : describe.skip
  there(`trials: ${group}${missing}`, () => body(group))
}

export function trial(group: string, { name, done, body, timeout }: Trial): void {
  it(name, () => judge(group, name, done, body()), timeout)
}

/** Independent trials, started together so that their waiting times overlap. */
export function sideBySide(group: string, list: readonly Trial[]): void {
  let running: Promise<Finding>[] = []
  beforeAll(() => {
    running = list.map(({ body }) => {
      const work = body()
      work.catch(() => undefined) // the test of this trial reports it
      return work
    })
  })
  list.forEach(({ name, done, timeout }, i) => {
    it(
      name,
      () => judge(group, name, done, running[i] ?? Promise.reject(new Error('the trial was not started'))),
      timeout,
    )
  })
}

async function judge(group: string, name: string, done: string, work: Promise<Finding>): Promise<void> {
  try {
    const finding = await work
    console.info(`trial: ${group}: ${name}: ${finding.result}; ${finding.figures}`)
    write({ group, trial: name, done, ...finding, passed: true })
  } catch (error) {
    const words = stripVTControlCharacters(error instanceof Error ? error.message : String(error))
    write({
      group,
      trial: name,
      done,
      result: 'FAILED',
      figures: words.replace(/\s+/g, ' ').slice(0, 300),
      passed: false,
    })
    throw error
  }
}

/** Writes the row to the file TRIALS_OUT; a repeated trial replaces its row. */
function write(row: Ledger['rows'][number]): void {
  const path = process.env['TRIALS_OUT']
  if (!path) return
  let rows: Ledger['rows'] = []
  try {
    rows = (JSON.parse(readFileSync(path, 'utf8')) as Ledger).rows
  } catch {
    // the first row
  }
  const at = rows.findIndex((one) => one.group === row.group && one.trial === row.trial)
  if (at === -1) rows.push(row)
  else rows[at] = row
  const machine = {
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  }
  writeFileSync(path, `${JSON.stringify({ machine, rows } satisfies Ledger, undefined, 2)}\n`)
}
