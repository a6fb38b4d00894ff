import { ConfigurationError, type Problem } from '../../common/errors.ts'
import type { CaptureRecord } from '../record.ts'
import type { MethodTraits } from './method.ts'
import {
  commonStartProblem,
  hasNoShell,
  nodeName,
  nodeSubject,
  noShellProblem,
  noSpaceProblem,
  NothingRecorded,
  noToolsProblem,
  type RecorderError,
  type StartContext,
} from './start-failure.ts'

/** A Job whose pod uses the network of the node. */
export function nodePodMethod(record: CaptureRecord, namespace: string): MethodTraits {
  const { captureId, plan, target } = record
  const job = `the Job ${captureId} in ${namespace}, which the cluster deletes after it has ended`
  return {
    outputName: 'node-pod',
    nodeAccess: 'by a node pod',
    usesImage: true,
    level: 'node',
    isInsideTarget: false,
    isRemovable: true,
    endpointName: "the recorder's node pod, not the target,",
    subject: nodeSubject(target),
    describeStart: (imageId) => `Started ${plan.image}${imageId === undefined ? '' : ` (${imageId})`}`,
    unstartedEnd: 'it is deleted',
    cancelledBeforeStart: `The run was cancelled before the Job ${captureId} started. The post step deletes it.`,
    expectedLeftovers: ['not known yet'],
    leftoversIfUnreachable: [job],
    explainFailedStart: (error, reason) => {
      const problem = commonStartProblem(error, record, context) ?? problemOf(error, record, namespace, reason)
      return new NothingRecorded(problem)
    },
    explainGone: (reason) =>
      new ConfigurationError({
        code: 'E_RECORDER_GONE',
        input: 'level',
        problem: `the node pod on ${nodeName(target.node)} is gone`,
        message: reason,
        fix: 'Run the job again.',
      }),
  }
}

const context: StartContext = {
  place: 'on the node',
  netRawFix: 'Check whether a policy of the cluster forbids NET_RAW in the node pod.',
  interfaceFix: 'Use any, or the name of an interface of the node.',
}

function problemOf(
  error: RecorderError,
  record: CaptureRecord,
  namespace: string,
  reason: string | undefined,
): Problem {
  if (error.code === 'tools') return noToolsProblem(error, record)
  if (error.code === 'space') return noSpaceProblem(error)
  if (hasNoShell(error, reason)) return noShellProblem(error, record)
  return {
    code: 'E_RECORDER_ENDED',
    input: 'node-namespace',
    problem: 'the node pod ended before it recorded anything',
    message: error.text,
    fix: `See \`kubectl -n ${namespace} get events\`.`,
  }
}
