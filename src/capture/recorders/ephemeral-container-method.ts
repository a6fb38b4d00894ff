import { ConfigurationError, type Problem } from '../../common/errors.ts'
import type { CaptureRecord } from '../record.ts'
import type { MethodTraits } from './method.ts'
import {
  commonStartProblem,
  hasNoShell,
  noShellProblem,
  noSpaceProblem,
  NothingRecorded,
  noToolsProblem,
  type RecorderError,
  type StartContext,
} from './start-failure.ts'

/** An ephemeral container of the pod that is captured. */
export function ephemeralMethod(record: CaptureRecord): MethodTraits {
  const { captureId, plan, target } = record
  const subject = target.kind === 'pod' ? `pod ${target.pod}` : `node ${target.node}`
  const ended = terminatedContainer(captureId)
  const ending = `it ends by itself after ${plan.heartbeatTimeoutSeconds} s without contact from the runner`
  return {
    outputName: 'ephemeral-container',
    nodeAccess: undefined,
    usesImage: true,
    level: 'pod',
    isInsideTarget: true,
    isRemovable: false,
    endpointName: 'the pod',
    subject,
    describeStart: (imageId) => `Started ${plan.image}${imageId === undefined ? '' : ` (${imageId})`}`,
    unstartedEnd: 'it ends by itself if it still starts',
    cancelledBeforeStart:
      `The run was cancelled before the container ${captureId} started. ` +
      `If it still starts, the post step stops it; without the post step ${ending}.`,
    expectedLeftovers: [ended],
    leftoversIfUnreachable: [ended],
    explainFailedStart: (error, reason) => {
      return new NothingRecorded(commonStartProblem(error, record, context) ?? problemOf(error, record, reason))
    },
    explainGone: (reason) =>
      new ConfigurationError({
        code: 'E_POD_GONE',
        input: 'pod',
        problem: `${subject} is gone`,
        message: reason,
        fix: 'Name a pod that keeps running, or deployment/NAME.',
      }),
  }
}

/** What always remains of an ephemeral container. */
export function terminatedContainer(captureId: string): string {
  return `the terminated ephemeral container ${captureId} stays in the pod's spec until the pod is deleted`
}

const context: StartContext = {
  place: 'in the pod',
  netRawFix:
    'The container runtime does not grant NET_RAW by default (CRI-O, OpenShift). ' +
    'Set `capabilities: NET_RAW`; the namespace must allow it (Pod Security `privileged`).',
  interfaceFix: 'Use any, or one of the interfaces of the pod.',
}

function problemOf(error: RecorderError, record: CaptureRecord, reason: string | undefined): Problem {
  if (error.code === 'tools') return noToolsProblem(error, record)
  if (error.code === 'space') return noSpaceProblem(error)
  if (hasNoShell(error, reason)) return noShellProblem(error, record)
  return {
    code: 'E_RECORDER_ENDED',
    input: 'image',
    problem: 'the container ended before it recorded anything',
    message: error.text,
    fix: `See its log with \`kubectl logs -c ${record.captureId}\`.`,
  }
}
