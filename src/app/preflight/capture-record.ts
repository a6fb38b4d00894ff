import { newCaptureId } from '../../capture/plan.ts'
import { recordOf, type CaptureMethod, type CaptureRecord } from '../../capture/record.ts'
import { call } from '../../cluster/api.ts'
import type { Identity } from '../../cluster/rights.ts'
import type { Target } from '../../cluster/target.ts'
import type { Request } from '../../inputs/request.ts'
import { defaultArtifactName, type Job } from '../../runner/job.ts'
import type { Cluster } from '../cluster-access.ts'
import { urlPath } from '../../common/url-path.ts'

/** What the checks of a single target need. */
export interface TargetContext {
  readonly cluster: Cluster
  readonly request: Request
  readonly job: Job
  readonly identity: Identity
  /** how many targets this run has: with several, each file is named after its target */
  readonly targetCount: number
}

export interface RecordChoice {
  readonly method: CaptureMethod
  readonly filter: string | undefined
  readonly spoolLimitBytes?: number
  readonly usesRuntimeSeccomp?: boolean
}

/** The record of one capture. @throws ApiError where the API server does not answer */
export async function planRecord(context: TargetContext, target: Target, choice: RecordChoice): Promise<CaptureRecord> {
  const { request, job, targetCount } = context
  const { method, filter, spoolLimitBytes = request.spoolLimitBytes, usesRuntimeSeccomp = false } = choice
  const { interface: interfaceName, snaplen, image, toolboxImage, capabilities } = request
  const { startTimeoutSeconds, heartbeatTimeoutSeconds, artifactName, limits } = request
  return recordOf(target, {
    captureId: newCaptureId(job.repository),
    method,
    plan: {
      ...{ filter, interface: interfaceName, snaplen, image, toolboxImage, capabilities },
      ...{ ...limits, startTimeoutSeconds, heartbeatTimeoutSeconds, spoolLimitBytes, usesRuntimeSeccomp },
    },
    folder: job.temp,
    fileName: artifactName ?? defaultArtifactName(target.kind === 'pod' ? target.pod : target.node, job),
    isFileNameShared: artifactName !== undefined && targetCount > 1,
    serverTimeMs: await serverTimeMs(context, target),
  })
}

/** The clock of the API server, ms since the epoch: deadlines are counted by it, because the clocks of runners are not reliable. */
export async function serverTimeMs(
  { cluster, identity }: Pick<TargetContext, 'cluster' | 'identity'>,
  target: Target,
): Promise<number> {
  if (identity.clockAheadMs !== undefined) return Date.now() + identity.clockAheadMs
  const path = target.kind === 'node' ? '/version' : urlPath`/api/v1/namespaces/${target.namespace}/pods/${target.pod}`
  const { serverTime } = await call(cluster.connection, 'GET', path)
  return serverTime ?? Date.now()
}
