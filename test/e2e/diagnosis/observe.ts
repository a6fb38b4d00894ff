import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StepResult } from '../../runner/step-process.ts'
import { violations, type Schema } from '../../support/schema.ts'
import type { Workplace } from '../action.ts'
import { kubectl, podManifest, testClusterScripts, testClusterState, type Manifest } from '../cluster.ts'
import { images } from '../images.ts'

/** Why the scenarios cannot be made; undefined if they can. */
export const scenariosMissing =
  testClusterState === undefined || testClusterScripts === undefined
    ? 'a cluster whose nodes are this machine; .ci/run'
    : undefined

/** The parts of findings.json that the tests look at. */
export interface FindingsJson {
  readonly sentence: string
  readonly culprit: string
  readonly severity: string
  readonly findings: readonly FindingJson[]
  readonly withheld: readonly object[]
  readonly clean: readonly { readonly area: string; readonly text: string }[]
}

export interface FindingJson {
  readonly id: string
  readonly severity: string
  readonly title: string
  readonly count: number
  readonly facts: Readonly<Record<string, number | string>>
}

/** A pod that is captured while a script runs in a pod. */
export interface Scenario {
  /** the pod that is captured */
  readonly pod: string
  readonly namespace: string
  /** the pod in which the script runs; default: the pod that is captured */
  readonly client?: string
  /** for bash */
  readonly script: string
  /** the input of the script */
  readonly input?: string
  /** more inputs of the action */
  readonly inputs?: Record<string, string>
}

/** What the action said about a scenario. */
export interface Observed {
  readonly main: StepResult
  readonly diagnosis: FindingsJson
  /** the path of the pcap */
  readonly path: string
  /** what the script wrote */
  readonly written: string
}

/** The traffic of a scenario takes up to 6 s, most of it waiting: the rest is for a machine with other work. */
const durationSeconds = 15

/** Starts all scenarios side by side. The promises are handled: a test that awaits one reports its error. */
export function observeAll<Name extends string>(
  work: Workplace,
  scenarios: Readonly<Record<Name, Scenario>>,
): Record<Name, Promise<Observed>> {
  const started = Object.entries<Scenario>(scenarios).map(([name, scenario]) => {
    const observed = observe(work, scenario)
    observed.catch(() => undefined)
    return [name, observed] as const
  })
  return Object.fromEntries(started) as Record<Name, Promise<Observed>>
}

async function observe(work: Workplace, scenario: Scenario): Promise<Observed> {
  const { pod, namespace, client = pod, script, input = '', inputs = {} } = scenario
  const run = work.start({ pod, namespace, duration: `${String(durationSeconds)}s`, ...inputs })
  await run.capturing()
  const startedAt = performance.now()
  const exec = ['-n', namespace, 'exec', '-i', client, '-c', 'app', '--', 'bash', '-c', script]
  const written = await kubectl(exec, { input })
  const seconds = (performance.now() - startedAt) / 1000
  const { main } = await run.finished
  // Otherwise its numbers are not those of the capture.
  if (seconds > durationSeconds)
    throw new Error(`the traffic of ${client} took longer than the capture: ${String(seconds)} s`)
  expect(main).toMatchObject({ exitCode: 0, annotations: [], outputs: { verdict: 'complete' } })
  const diagnosis = JSON.parse(main.outputs['findings'] ?? '') as FindingsJson
  expect(violations(diagnosis, schema)).toEqual([])
  return { main, diagnosis, path: main.outputs['pcap-path'] ?? '', written }
}

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../docs/findings.schema.json'), 'utf8'),
) as Schema

/** The outputs of the action, and the finding that explains most. */
export function verdictOf({ main: { outputs }, diagnosis: { findings } }: Observed): object {
  const [first] = findings
  return { culprit: outputs['culprit'], severity: outputs['severity'], id: first?.id, count: first?.count }
}

/** The culprit and the gravity of a capture of healthy traffic. */
export const nothingWrong = { culprit: 'none', severity: 'none', id: undefined, count: undefined }

/** A pod that sends requests; `spec` is merged into its spec. */
export function clientPod(namespace: string, name: string, spec: Manifest = {}, container: Manifest = {}): Manifest {
  return podManifest(namespace, name, { image: images.capture, command: ['sleep', '1000000'], spec, container })
}
