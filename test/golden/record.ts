import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Runner } from '../runner/runner.ts'
import type { StepResult } from '../runner/step-process.ts'
import type { RecordedRequest } from '../sandbox/cluster/start.ts'
import type { RecordedCall } from '../sandbox/results/start.ts'

/**
 * A golden record is the observable behaviour of a step: log, outputs, state, summary, exit code, and every request to the fakes. What
 * differs from run to run (ids, times, hashes, counts of packets) is replaced by a placeholder; a count that is the same in each run is kept. Repeated
 * parts are on one line, and what a diagnosis says has tests of its own: an access review, a variable of the container, a body that was sent before. To update the records:
 * `UPDATE_GOLDEN=1 npm run jest -- --selectProjects sandbox --testPathPatterns sandbox/action`
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
  if (!existsSync(path))
    throw new Error(`there is no golden record ${name}: run the test with UPDATE_GOLDEN=1 and commit it`)
  expect(actual).toBe(readFileSync(path, 'utf8'))
}

function render({ inputs, main, post, cluster, results }: Run, runner: Runner): string {
  const section = (title: string, text: string): string =>
    text.trim() === '' ? '' : `--- ${title}\n${text.trimEnd()}\n\n`
  const step = (name: string, result: StepResult): string =>
    [
      section(
        `${name}: exit code ${String(result.exitCode)}`,
        withoutDiagnosis(withoutPolls(result.log)) || '(nothing in the log)',
      ),
      section(`${name}: outputs`, pairs(shortOutputs(result.outputs))),
      section(`${name}: state`, pairs(result.state)),
      section(
        `${name}: environment and path`,
        pairs({ ...result.env, ...(result.path.length > 0 ? { PATH: result.path.join(':') } : {}) }),
      ),
      section(`${name}: summary`, shortSummary(result.summary)),
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

/** Prints JSON on several lines, so that a difference is one line. */
function pretty(value: string): string {
  if (!/^[{[]/.test(value)) return value
  return JSON.stringify(withoutScripts(JSON.parse(value)), null, 2)
}

/** The findings depend on how many requests fall into the capture. */
function shortOutputs(outputs: Record<string, string>): Record<string, string> {
  const short = { ...outputs }
  for (const name of ['diagnosis', 'culprit', 'findings']) if (short[name]) short[name] = `(the ${name})`
  return short
}

/** The lines of the diagnosis in the log, and its annotation. */
const withoutDiagnosis = (log: string): string =>
  log
    .replace(/^(##\[group\]Diagnosis\n)[^]*?(?=^##\[endgroup\])/gm, '$1(the diagnosis)\n')
    .replace(/(Diagnosis of (?:pod|node) [^:]*: ).*/g, '$1(the sentence)')

/** Of the parts of the diagnosis only where they are. */
const shortSummary = (summary: string): string =>
  summary
    .replace(/^(## [🔴🟡🔵🟢] ).*\n\n.*$/gmu, '$1(the sentence, and how sure it is)')
    .replace(
      /^1\. [🔴🟡🔵][^]*?(?=^<details><summary>Capture)/gmu,
      '(the findings, and the details of the diagnosis)\n\n',
    )

/** Whether a short-lived state is visible depends on the speed of the machine. */
const withoutPolls = (log: string): string =>
  log
    .split('\n')
    .filter((line) => !/^Waiting: (ContainerCreating|ErrImagePull)/.test(line))
    .join('\n')

function requests(recorded: readonly RecordedRequest[]): string {
  const sent = new Map<string, string>()
  const lines = recorded.map((request) => {
    const { method, path, query, status } = request
    const line = `${method} ${path}${query === '' ? '' : `?${shownQuery(query)}`}`
    const review = reviewed(request)
    if (review !== undefined) return `${line} (${review}) → ${String(status)}`
    const body = shownBody(request.body)
    if (body === '') return `${line} → ${String(status)}`
    const earlier = sent.get(body)
    sent.set(body, line)
    return `${line} → ${String(status)}\n${earlier === undefined ? body : `  (the body of ${earlier})`}`
  })
  // The requests of preflight are concurrent, so their order varies: reviews come first here.
  const rank = (line: string): number =>
    line.includes('/selfsubjectreviews') ? 0 : line.includes('/selfsubjectaccessreviews') ? 1 : 2
  const firstPatch = lines.findIndex((line) => line.startsWith('PATCH '))
  const concurrent = firstPatch === -1 ? lines.length : firstPatch
  const sorted = lines
    .slice(0, concurrent)
    .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1))
    .concat(lines.slice(concurrent))
  // How often the delivery is tried before the container runs, and how often the pod is read, depends on the speed of the machine, too.
  const isEarlyTry = (line: string): boolean => line.includes('command=deliver') && !line.endsWith('→ 101')
  const answered = sorted.some((line) => line.includes('command=follow'))
    ? sorted.filter((line) => !isEarlyTry(line))
    : sorted
  const once = answered.filter((line, i) => line !== answered[i - 1])
  // The recorder is delivered beside the reads of its pod: whether one more comes after the delivery depends on the speed, too.
  const isLateRead = (line: string, i: number): boolean =>
    line.startsWith('GET ') && !line.includes('/exec?') && once[i + 1]?.includes('command=follow') === true
  return once.filter((line, i) => !isLateRead(line, i)).join('\n')
}

/** The question of an access review, if the body has no other fields. */
function reviewed({ path, body }: RecordedRequest): string | undefined {
  if (path.endsWith('/selfsubjectreviews')) return 'who'
  if (!path.endsWith('/selfsubjectaccessreviews')) return undefined
  const { spec } = body as { spec: { resourceAttributes: Record<string, string>; nonResourceAttributes?: object } }
  const { namespace, verb, group, resource, subresource, ...rest } = spec.resourceAttributes
  if (Object.keys(rest).length > 0 || spec.nonResourceAttributes) return JSON.stringify(spec)
  const what = [resource, ...(subresource === undefined ? [] : [subresource])].join('/')
  return `${verb ?? ''} ${what}${group ? `.${group}` : ''}${namespace === undefined ? '' : ` in ${namespace}`}`
}

/** The decoded query without the shell command, which has separate tests. */
const shownQuery = (query: string): string =>
  decodeURIComponent(query.replace(/(command=sh&command=-c&command=)[^&]*/, '$1(script)').replaceAll('+', ' '))

/** Indented JSON; the variables of a container as NAME=VALUE. Empty where there is no body. */
function shownBody(body: unknown): string {
  if (body === undefined) return ''
  return indented(
    JSON.parse(JSON.stringify(withoutScripts(body)), (key, part: unknown) =>
      key === 'env' && Array.isArray(part) ? part.map(variable) : part,
    ),
  )
}

const variable = (entry: { name: string; value?: string }): unknown =>
  Object.keys(entry).every((key) => key === 'name' || key === 'value') ? `${entry.name}=${entry.value ?? ''}` : entry

const calls = (recorded: readonly RecordedCall[]): string =>
  recorded
    .map(({ operation, status, body }) =>
      body === undefined ? `${operation} → ${String(status)}` : `${operation} → ${String(status)}\n${indented(body)}`,
    )
    .join('\n')

const indented = (body: unknown): string => JSON.stringify(body, null, 2).replace(/^/gm, '  ')

/** Omits the script of the container, which has separate tests. */
function withoutScripts(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    typeof part === 'string' && part.startsWith('umask ') && part.includes('\n') ? '(script)' : part,
  ) as unknown
}

function normalised(text: string, runner: Runner): string {
  // 24 bytes are the header of a file without packets: a count that is the same in each run.
  const replacements: [RegExp | string, string][] = [
    ['<wbr>', ''], // where a long word may break
    [runner.folders.temp, 'RUNNER_TEMP'],
    [runner.folders.temp.replaceAll('_', '&#95;'), 'RUNNER_TEMP'],
    [/\bjob-\d+\b/g, 'USER'],
    [/127\.0\.0\.1:\d{4,5}/g, 'HOST'],
    [/packet-capture-[0-9a-f]{6}-[0-9a-f]{8}/g, 'packet-capture-OWNER-ID'],
    [/packet-capture-missing-[0-9a-f]{8}/g, 'packet-capture-missing-ID'],
    [/(capture-[\w.-]*?-1658821493-1-capture)-[0-9a-f]+/g, '$1-ID'],
    [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UUID'],
    [/\b[0-9a-f]{64}\b/g, 'SHA256'],
    [/\b\d+ s from \d\d:\d\d:\d\d UTC/g, 'T s from TIME'],
    [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)?/g, 'TIME'],
    [/\b1[6-9]\d{11}(\.\d+)?\b/g, 'EPOCH-MS'],
    [/\b(?!1658821493)1[6-9]\d{8}\b/g, 'EPOCH'],
    [/^(Uploaded bytes )(?!24$)\d+$/gm, '$1N'],
    [/"[A-Za-z0-9+/]{60,}={0,2}"/g, '"BLOCK-ID"'],
    [/\b(?!0 )[\d,]+ packets?\b/g, 'N packets'],
    [/\b(?!(?:0|24) )\d[\d,]* (of N )?bytes(?! of each)/g, 'N bytes'],
    [/\| [1-9][\d,]* \(/g, '| N ('],
    [/\b(?!24 B\b)\d+(\.\d+)? (B|KB|MB)(\/s)?\b/g, 'SIZE$3'],
    [/\bfor \d+\.\d s\b/g, 'for T s'],
    [/("(?:packets|bytes|captured|received|wholeBytes|recordedSeconds|recordedMs)": )(?!24\b)[1-9][\d.]*/g, '$1"N"'],
    [/("size(?:Bytes)?": )"?(?!(?:24|1000000000)\b)[1-9]\d*"?/g, '$1"N"'],
    [/^((?:packets|bytes): )(?!24$)[1-9]\d*$/gm, '$1N'],
    [/"tool": ".*"/g, '"tool": "TOOL"'],
    [/^( +at ).*$\n?/gm, ''],
  ]
  let result = text
  for (const [pattern, word] of replacements) result = result.replaceAll(pattern, word)
  return result
}
