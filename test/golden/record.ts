import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Runner } from '../runner/runner.ts'
import type { StepResult } from '../runner/step-process.ts'
import type { RecordedRequest } from '../sandbox/cluster/start.ts'
import type { RecordedCall } from '../sandbox/results/start.ts'

/**
 * A golden record is all that a step does as the world sees it: log, outputs, state, summary, exit code, and every request to the fakes. What
 * differs from run to run (ids, times, hashes, counts of packets) becomes a word. `UPDATE_GOLDEN=1` writes the records anew.
 */
export interface Run {
  readonly inputs: Record<string, string>
  readonly main: StepResult
  readonly post: StepResult
  readonly cluster: readonly RecordedRequest[]
  readonly results: readonly RecordedCall[]
}

export function expectGolden(name: string, run: Run, runner: Runner): void {
  const path = join(import.meta.dirname, `${name}.txt`)
  const actual = render(run, runner)
  if (process.env['UPDATE_GOLDEN'] === '1' || (!existsSync(path) && process.env['CI'] === undefined)) {
    writeFileSync(path, actual)
    return
  }
  if (!existsSync(path)) throw new Error(`there is no golden record ${name}: run the test with UPDATE_GOLDEN=1 and commit it`)
  expect(actual).toBe(readFileSync(path, 'utf8'))
}

function render({ inputs, main, post, cluster, results }: Run, runner: Runner): string {
  const section = (title: string, text: string): string => (text.trim() === '' ? '' : `--- ${title}\n${text.trimEnd()}\n\n`)
  const step = (name: string, result: StepResult): string =>
    [
      section(`${name}: exit code ${String(result.exitCode)}`, withoutPolls(result.log) || '(nothing in the log)'),
      section(`${name}: outputs`, pairs(result.outputs)),
      section(`${name}: state`, pairs(result.state)),
      section(`${name}: environment and path`, pairs({ ...result.env, ...(result.path.length > 0 ? { PATH: result.path.join(':') } : {}) })),
      section(`${name}: summary`, result.summary),
    ].join('')
  const text = [
    section('inputs', pairs(inputs)),
    step('main', main),
    step('post', post),
    section('requests to the API server', requests(cluster) || '(none)'),
    section('requests to the results service', calls(results) || '(none)'),
  ].join('')
  return normalised(text, runner)
}

const pairs = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}: ${pretty(value)}`)
    .join('\n')

/** JSON is shown by its lines, so that a difference is a line. */
function pretty(value: string): string {
  if (!/^[{[]/.test(value)) return value
  return JSON.stringify(withoutScripts(JSON.parse(value)), null, 2)
}

/** What is seen of a state that lasts for a moment only is a matter of the machine's speed. */
const withoutPolls = (log: string): string =>
  log
    .split('\n')
    .filter((line) => !/^Waiting: (ContainerCreating|ErrImagePull)/.test(line))
    .join('\n')

function requests(recorded: readonly RecordedRequest[]): string {
  const lines = recorded.map(({ method, path, query, body, status }) => {
    const line = `${method} ${path}${query === '' ? '' : `?${decodeURIComponent(query.replaceAll('+', ' '))}`} → ${String(status)}`
    return body === undefined ? line : `${line}\n${indented(withoutScripts(body))}`
  })
  // Rights are asked side by side, so their order is the network's.
  const sorted: string[] = []
  for (let at = 0; at < lines.length; ) {
    let end = at
    while (end < lines.length && lines[end]?.includes('selfsubjectaccessreviews')) end += 1
    if (end > at) sorted.push(...lines.slice(at, end).sort())
    else sorted.push(lines[end++] ?? '')
    at = end
  }
  // How often a pod was looked at in a row is a matter of the machine's speed, too.
  return sorted.filter((line, i) => line !== sorted[i - 1]).join('\n')
}

const calls = (recorded: readonly RecordedCall[]): string =>
  recorded
    .map(({ operation, status, body }) =>
      body === undefined ? `${operation} → ${String(status)}` : `${operation} → ${String(status)}\n${indented(body)}`,
    )
    .join('\n')

const indented = (body: unknown): string => JSON.stringify(body, null, 2).replace(/^/gm, '  ')

/** The recorder and the follower have tests of their own; here they would drown the rest. */
function withoutScripts(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    typeof part === 'string' && part.length > 1500 && part.includes('\n') ? '(script)' : part,
  ) as unknown
}

function normalised(text: string, runner: Runner): string {
  const replacements: [RegExp | string, string][] = [
    [runner.folders.temp, 'RUNNER_TEMP'],
    [runner.folders.temp.replaceAll('_', '&#95;'), 'RUNNER_TEMP'],
    [/\bjob-\d+\b/g, 'USER'],
    [/127\.0\.0\.1:\d{4,5}/g, 'HOST'],
    [/packet-capture-[0-9a-f]{6}-[0-9a-f]{8}/g, 'packet-capture-OWNER-ID'],
    [/packet-capture-missing-[0-9a-f]{8}/g, 'packet-capture-missing-ID'],
    [/(capture-[\w.-]*?-1658821493-1-capture)-[0-9a-f]+/g, '$1-ID'],
    [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UUID'],
    [/\b[0-9a-f]{64}\b/g, 'SHA256'],
    [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)?/g, 'TIME'],
    [/\b1[6-9]\d{11}(\.\d+)?\b/g, 'EPOCH-MS'],
    [/\b(?!1658821493)1[6-9]\d{8}\b/g, 'EPOCH'],
    [/^(Uploaded bytes )\d+$/gm, '$1N'],
    [/"[A-Za-z0-9+/]{60,}={0,2}"/g, '"BLOCK-ID"'],
    [/\b(?!0 )[\d,]+ packets?\b/g, 'N packets'],
    [/\b(?!0 )\d[\d,]* (of N )?bytes(?! of each)/g, 'N bytes'],
    [/\| [1-9][\d,]* \(/g, '| N ('],
    [/\b\d+(\.\d+)? (B|KB|MB)(\/s)?\b/g, 'SIZE$3'],
    [/\bfor \d+\.\d s\b/g, 'for T s'],
    [/("(?:packets|bytes|captured|received|wholeBytes|recordedSeconds|recordedMs)": )[1-9][\d.]*/g, '$1"N"'],
    [/("size": )"?(?!1000000000\b)[1-9]\d*"?/g, '$1"N"'],
    [/^((?:packets|bytes): )[1-9]\d*$/gm, '$1N'],
    [/"tool": ".*"/g, '"tool": "TOOL"'],
    [/^( +at ).*$\n?/gm, ''],
  ]
  let result = text
  for (const [pattern, word] of replacements) result = result.replaceAll(pattern, word)
  return result
}
