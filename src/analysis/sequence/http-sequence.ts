import { grpcStatusName } from '../application/grpc-status.ts'
import type { HttpExample, HttpServer } from '../application/http-servers.ts'
import type { Finding } from '../findings/finding.ts'
import { durationText } from '../findings/wording.ts'
import type { TimedSequence, TimedStep } from './sequence.ts'

/** Up to three exchanges that show the finding. Undefined: it is not about HTTP. */
export function httpSequence({ id, evidence }: Finding, servers: readonly HttpServer[]): TimedSequence | undefined {
  const frame = evidence[0]?.frames[0]
  const examples = servers
    .flatMap((server) => examplesOf(id, server))
    .find(({ frames, requests }) => requests.length > 0 && frames.includes(frame ?? 0))?.requests
  const first = examples?.[0]
  if (examples === undefined || first === undefined) return undefined
  const sorted = examples.toSorted((one, other) => one.timeNs - other.timeNs)
  const startNs = sorted[0]?.timeNs ?? first.timeNs
  return { ...first.ends, startNs, steps: sorted.flatMap(stepsOf) }
}

interface Examples {
  /** by which a finding is known */
  readonly frames: readonly number[]
  readonly requests: readonly HttpExample[]
}

function examplesOf(id: Finding['id'], { failures, grpcFailures, unanswered, slowest }: HttpServer): Examples[] {
  if (id === 'http-server-errors' || id === 'http-client-errors') return [...failures.values()].map(toExamples)
  if (id === 'grpc-errors') return [...grpcFailures.values()].map(toExamples)
  if (id === 'http-unanswered') return [toExamples(unanswered)]
  if (id !== 'http-slow') return []
  return [{ frames: slowest.map(({ responseFrame }) => responseFrame), requests: slowest.slice(0, 3) }]
}

function toExamples({ frames, examples }: HttpServer['slow']): Examples {
  return { frames, requests: examples }
}

function stepsOf({ method, path, host, ends, ...exchange }: HttpExample): TimedStep[] {
  const { timeNs, requestFrame, responseFrame, firstByteNs, status } = exchange
  const isLost = status === 0
  const of = host === undefined || host === '' ? '' : ` of ${host}`
  return [
    { sender: 'client', text: `${method} ${path}${of}`, timeNs, frame: requestFrame, isLost },
    ...(isLost
      ? [{ note: `no answer, from port ${ends.client.port}` }]
      : [
          {
            sender: 'server',
            text: `${answerText(exchange)}${firstByteNs === undefined ? '' : ` after ${durationText(firstByteNs / 1e6)}`}`,
            frame: responseFrame,
            // The request may have taken a time of its own, which is not known.
            timeNs: undefined,
          } satisfies TimedStep,
        ]),
  ]
}

function answerText({ status, grpcStatus }: Pick<HttpExample, 'status' | 'grpcStatus'>): string {
  return grpcStatus === undefined ? `status ${status}` : `gRPC status ${grpcStatusName(grpcStatus)}`
}
