import { createHash } from 'node:crypto'
import type { CapturePlan } from './plan.ts'
import { followerScript, recorderScript, unpackScript } from './scripts/scripts.ts'

/** What the runner's first exec delivers into a capture's container. */
export interface Payload {
  /** lines, the last one `#end` */
  readonly text: string
  /** of the text with its last line break, hex: part of the container's command, so that nothing else is run */
  readonly sha256: string
}

/** The recorder, its parameters and the follower, for scripts/unpack.sh. The same for the same arguments. `deadlineSeconds`: since the epoch. */
export function recorderPayload(captureId: string, plan: CapturePlan, deadlineSeconds: number): Payload {
  const text = [
    unpackScript,
    '#parameters',
    ...Object.entries(recorderParameters(captureId, plan, deadlineSeconds)).map(
      ([name, value]) => `${name}=${String(value)}`,
    ),
    '#follower',
    followerScript,
    '#recorder',
    recorderScript,
    '#end',
  ].join('\n')
  return { text, sha256: createHash('sha256').update(`${text}\n`).digest('hex') }
}

/** The environment of the recorder; no value has a line break. */
export function recorderParameters(
  captureId: string,
  plan: CapturePlan,
  deadlineSeconds: number,
): Readonly<Record<string, string | number>> {
  return {
    CAPTURE_NAME: captureId,
    CAPTURE_DEADLINE: deadlineSeconds,
    CAPTURE_FILTER: plan.filter ?? '',
    CAPTURE_INTERFACE: plan.interface,
    CAPTURE_SNAPLEN: plan.snaplen,
    CAPTURE_DURATION: plan.durationSeconds,
    CAPTURE_SIZE: plan.maxBytes,
    CAPTURE_PACKETS: plan.maxPackets ?? '',
    CAPTURE_BUFFER: ringKiB,
    CAPTURE_SPOOL: plan.spoolLimitBytes,
    // In 10^6 bytes. Each segment costs seven short processes, and the segment that is written cannot be deleted.
    CAPTURE_SEGMENT: Math.min(16, Math.max(1, Math.floor(plan.spoolLimitBytes / 16e6))),
    CAPTURE_HEARTBEAT_TIMEOUT: plan.heartbeatTimeoutSeconds,
  }
}

/** tcpdump's -B: two seconds of 50,000 packets of 300 bytes; libpcap's default of 2 MiB overflows at 20,000 packets a second. */
const ringKiB = 32768
