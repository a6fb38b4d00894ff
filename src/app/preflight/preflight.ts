import { unprotectedEnd, unprotectedFrom } from '../../capture/protection.ts'
import type { Recorder } from '../../capture/recorders/recorder.ts'
import type { Connection } from '../../cluster/connection.ts'
import type { Identity } from '../../cluster/rights.ts'
import type { Target } from '../../cluster/target.ts'
import { canBeAsked, isOnNode } from '../../cluster/target-problems.ts'
import { documentUrl } from '../../common/document-url.ts'
import { ConfigurationError, renderProblem, type Problem } from '../../common/errors.ts'
import type { Request } from '../../inputs/request.ts'
import type { Job } from '../../runner/job.ts'
import type { Log } from '../../runner/log.ts'
import type { Cluster } from '../cluster-access.ts'
import { checkAdmission } from './admission.ts'
import type { TargetContext } from './capture-record.ts'
import type { CheckResult } from './check.ts'
import { checkDelivery } from './delivery.ts'
import { checkFilter } from './filter.ts'
import { checkIdentity } from './identity.ts'
import { checkNamespace } from './namespace.ts'
import { checkNodeMethod } from './node-method.ts'
import { checkRights, mayReadTarget, type MissingRightNames } from './rights.ts'
import { endStaleRecorders } from './stale-recorders.ts'
import { checkTargets, checkTargetState } from './targets.ts'

/** A capture that passed every check. */
export interface PlannedCapture {
  readonly recorder: Recorder
  readonly hints: readonly string[]
  readonly cautions: readonly string[]
}

/** The result of a preflight without problems: nothing is created yet. */
export interface Prepared {
  readonly captures: readonly PlannedCapture[]
  /** what was checked and found, one line each, for the summary of `preflight: only` */
  readonly findings: readonly string[]
}

/**
 * Runs every check. None depends on the success of another, unless the answer would be known: its result does not count then. Requests that do
 * not need each other's answer are sent side by side, and their results are reported in a fixed order.
 * @throws ConfigurationError with the problems of all checks
 */
export async function preflight(cluster: Cluster, request: Request, job: Job, log: Log): Promise<Prepared> {
  const { connection } = cluster
  const results = new Results(log)
  // A warning of the connection is about what protects it less than usual.
  results.add({ findings: [`Cluster: ${connection.description}`], problems: [], cautions: connection.warnings ?? [] })
  const inNamespace = checkNamespace(connection, request)
  const requests = sendRequests(connection, request, inNamespace.value)
  const filter = checkFilter(request)
  const identity = results.add(await requests.identity)
  const namespace = results.add(inNamespace)
  // Without accepted credentials, or without a namespace, every other request has the same answer.
  const isOpen = identity !== undefined && namespace !== undefined
  const rights = isOpen ? results.add(await requests.rights) : undefined
  const missing: MissingRightNames = rights ?? new Set()
  results.add(await filter)
  results.add(checkDelivery(request, job))
  if (isOpen && mayReadTarget(request, missing)) {
    const targets = results.add(await requests.targets) ?? []
    const context = { cluster, request, job, identity, targetCount: targets.length }
    for (const target of targets) await checkTarget(results, context, target, missing)
    // Only where the capture will run: ending a recorder is a change.
    if (request.preflight === 'on' && request.level === 'pod' && results.problems.length === 0) {
      results.add(await endStaleRecorders(context, targets))
    }
  }
  if (results.problems.length > 0) {
    throw new ConfigurationError(results.problems, { stage: 'preflight', leftovers: [], cautions: results.cautions })
  }
  const prepared = results.prepared()
  for (const hint of new Set(prepared.captures.flatMap(({ hints }) => hints))) log.info(`Hint: ${hint}`)
  return prepared
}

const notAsked = Promise.resolve({ findings: [], problems: [] })

/** The checks that ask the API server and need nothing of another check. They never reject. */
function sendRequests(connection: Connection, request: Request, namespace: string | undefined): PendingChecks {
  const identity = checkIdentity(connection)
  if (namespace === undefined) return { identity, rights: notAsked, targets: notAsked }
  const accepted = identity.then(({ value }) => value)
  return {
    identity,
    rights: checkRights(connection, request, namespace, accepted),
    targets: checkTargets(connection, request, namespace),
  }
}

interface PendingChecks {
  readonly identity: Promise<CheckResult<Identity>>
  readonly rights: Promise<CheckResult<MissingRightNames>>
  readonly targets: Promise<CheckResult<readonly Target[]>>
}

async function checkTarget(
  results: Results,
  context: TargetContext,
  target: Target,
  missing: MissingRightNames,
): Promise<void> {
  const { request } = context
  results.add(checkTargetState(target, request))
  if (!canBeAsked(target, request)) return
  if (request.level === 'node') {
    if (isOnNode(target)) results.addCapture(await checkNodeMethod(context, target))
  } else if (target.kind === 'pod') {
    results.addCapture(await checkAdmission(context, target, missing))
  }
}

/** Collects the results of the checks, and logs each finding as it comes. */
class Results {
  readonly problems: Problem[] = []
  readonly #findings: string[] = []
  /** of checks that are not about one capture: they hold for each */
  readonly #hints: string[] = []
  readonly cautions: string[] = []
  readonly #captures: PlannedCapture[] = []
  readonly #log: Log
  /** a problem or caution of several targets is reported once */
  readonly #texts = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  add<T>({ findings, problems, hints = [], cautions = [], value }: CheckResult<T>): T | undefined {
    this.#hints.push(...hints)
    this.cautions.push(...cautions)
    for (const caution of cautions) this.#warn(caution)
    for (const finding of findings) {
      this.#findings.push(finding)
      this.#log.info(finding)
    }
    for (const problem of problems) {
      const text = renderProblem(problem)
      if (!this.#texts.has(text)) this.problems.push(problem)
      this.#texts.add(text)
    }
    return value
  }

  addCapture(result: CheckResult<Recorder>): void {
    const { hints = [], cautions = [] } = result
    const recorder = this.add({ ...result, hints: [], cautions: [] })
    if (recorder === undefined) return
    this.#captures.push({ recorder, hints, cautions })
    for (const one of cautions) this.#warn(one)
    const why = unprotectedFrom(recorder.record)
    if (why === undefined) return
    const caution = `Caution: ${why}, ${unprotectedEnd}. See ${documentUrl('docs/security.md#who-must-be-trusted-for-what')}`
    this.#findings.push(caution)
    this.#warn(caution)
  }

  /** A caution of several targets is reported once. */
  #warn(caution: string): void {
    if (!this.#texts.has(caution)) this.#log.warning(caution)
    this.#texts.add(caution)
  }

  prepared(): Prepared {
    const captures = this.#captures.map(({ recorder, hints, cautions }) => ({
      recorder,
      hints: [...this.#hints, ...hints],
      cautions: [...this.cautions, ...cautions],
    }))
    return { captures, findings: this.#findings }
  }
}
