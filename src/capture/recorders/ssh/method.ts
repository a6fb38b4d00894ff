import { ConfigurationError, type Problem } from '../../../common/errors.ts'
import type { CaptureRecord } from '../../record.ts'
import type { MethodTraits } from '../method.ts'
import {
  commonStartProblem,
  nodeName,
  nodeSubject,
  NothingRecorded,
  type RecorderError,
  type StartContext,
} from '../start-failure.ts'

/** A process on the node, reached by SSH. */
export function sshMethod(record: CaptureRecord): MethodTraits {
  const { captureId, target } = record
  const node = nodeName(target.node)
  const files = `the recorder ${captureId} on ${node} and the SSH key of this run, until the recorder ends and the key expires`
  return {
    outputName: 'ssh',
    nodeAccess: 'by SSH',
    usesImage: false,
    level: 'node',
    isInsideTarget: false,
    isRemovable: true,
    endpointName: 'the recorder on the node, not the target,',
    subject: nodeSubject(target),
    describeStart: () => 'Started the recorder',
    unstartedEnd: 'it is deleted',
    cancelledBeforeStart: `The run was cancelled before the recorder ${captureId} started. The post step deletes its files on ${node}.`,
    expectedLeftovers: ['not known yet'],
    leftoversIfUnreachable: [files],
    explainFailedStart: (error) => {
      return new NothingRecorded(commonStartProblem(error, record, context) ?? problemOf(error))
    },
    explainGone: (reason) =>
      new ConfigurationError({
        code: 'E_RECORDER_GONE',
        input: 'level',
        problem: `the recorder on ${node} is gone`,
        message: reason,
        fix: 'Run the job again.',
      }),
  }
}

const context: StartContext = {
  place: 'on the node',
  netRawFix: 'Check whether a policy of the node forbids packet sockets to root.',
  interfaceFix: 'Use any, or the name of an interface of the node.',
}

function problemOf({ code, text }: RecorderError): Problem {
  const fix = 'Or use `node-method: pod`.'
  if (code === 'tools') {
    return {
      code: 'E_NODE_TOOLS_MISSING',
      input: 'node-method',
      problem: 'the node cannot record',
      message: text,
      fix: `Install the tool on the node. ${fix}`,
    }
  }
  if (code === 'space') {
    return {
      code: 'E_SPOOL_NOT_WRITABLE',
      input: 'level',
      problem: 'the recorder has no directory on the node that it can write its spool to',
      message: text,
      fix: `Check the node's disk. ${fix}`,
    }
  }
  return {
    code: 'E_RECORDER_ENDED',
    input: 'node-method',
    problem: 'the recorder ended on the node before it recorded anything',
    message: text,
    fix: `Run the job again. ${fix}`,
  }
}
