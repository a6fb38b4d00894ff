import { ConfigurationError, type Problem } from '../../common/errors.ts'
import { toOneLine } from '../../common/remote-text.ts'
import type { CaptureRecord, RecordedTarget } from '../record.ts'

/** The recorder was refused, so nothing was created. */
export class NothingCreated extends ConfigurationError {}

/** The recorder ended before it recorded anything: nothing is left to finish. */
export class NothingRecorded extends ConfigurationError {}

/** The recorder did not reach its container, which ends by itself: nothing is recorded. */
export class NothingDelivered extends NothingRecorded {}

/** Why a recorder cannot record; `code` is 'other' for output that is not a line of recorder.sh. */
export interface RecorderError {
  readonly code: string
  /** one line */
  readonly text: string
}

/** The line `error CODE TEXT` that recorder.sh leaves when it cannot record; undefined for other output. */
export function parseRecorderError(message: string): RecorderError | undefined {
  const [, code, text = ''] = /^error (\S+) ?([\s\S]*)$/.exec(message.trim()) ?? []
  return code === undefined ? undefined : { code, text: shownText(text) }
}

/** The error in the last output of a recorder that did not start, whatever wrote it. */
export function recorderErrorOf(message: string): RecorderError {
  return parseRecorderError(message) ?? { code: 'other', text: shownText(message) }
}

function shownText(text: string): string {
  return toOneLine(text.replace(/tcpdump: (data link type \S+)?/g, '')) || 'no output'
}

/** What the common problems say of a method. */
export interface StartContext {
  readonly place: 'in the pod' | 'on the node'
  readonly netRawFix: string
  readonly interfaceFix: string
}

/** The problems that every recorder can have; undefined for those of one method alone. */
export function commonStartProblem(
  { code, text }: RecorderError,
  { plan }: CaptureRecord,
  { place, netRawFix, interfaceFix }: StartContext,
): Problem | undefined {
  switch (code) {
    case 'filter':
      return {
        code: 'E_FILTER_REJECTED',
        input: 'filter',
        problem: `the tcpdump ${place} rejects ${JSON.stringify(plan.filter)}`,
        message: text,
        fix: 'See pcap-filter(7).',
      }
    case 'net-raw':
      return {
        code: 'E_NET_RAW_MISSING',
        input: 'capabilities',
        problem: `tcpdump may not open a packet socket ${place}`,
        message: text,
        fix: netRawFix,
      }
    case 'seccomp':
      return {
        code: 'E_SECCOMP_PROFILE',
        input: 'pod',
        problem: `a seccomp profile forbids packet sockets ${place}, although the container has NET_RAW: ${text}`,
        fix: 'Ask an admin of the cluster which profile applies to the container (of the pod, or the default of the node).',
      }
    case 'interface':
      return {
        code: 'E_INTERFACE_NOT_FOUND',
        input: 'interface',
        problem: `tcpdump cannot record on ${JSON.stringify(plan.interface)} ${place}`,
        message: text,
        fix: interfaceFix,
      }
    case 'user':
      return {
        code: 'E_IMAGE_CHANGES_USER',
        input: 'image',
        problem: `the tcpdump of ${JSON.stringify(plan.image)} changes to another user, which it may not do ${place}`,
        message: text,
        fix: 'Use an image whose tcpdump stays root, as the default image does.',
      }
    default:
      return undefined
  }
}

/** Of a container: the runtime could not start its command at all (StartError of containerd, ContainerCannotRun of CRI-O). */
export function hasNoShell({ text }: RecorderError, reason = ''): boolean {
  return /^(StartError|ContainerCannotRun)\b/.test(reason) || /executable file not found/.test(text)
}

export function noShellProblem({ text }: RecorderError, { plan, target }: CaptureRecord): Problem {
  return {
    code: 'E_IMAGE_NO_SHELL',
    input: 'image',
    problem: `${nodeName(target.node)} cannot run sh of ${JSON.stringify(plan.image)}`,
    message: text,
    fix: "Use an image that has sh and tcpdump and is built for the node's architecture.",
  }
}

export function noToolsProblem({ text }: RecorderError, { plan }: CaptureRecord): Problem {
  return {
    code: 'E_IMAGE_TOOLS_MISSING',
    input: 'image',
    problem: `${JSON.stringify(plan.image)} cannot record`,
    message: text,
    fix: 'Use an image that has sh and tcpdump.',
  }
}

export function noSpaceProblem({ text }: RecorderError): Problem {
  return {
    code: 'E_SPOOL_NOT_WRITABLE',
    input: 'image',
    problem: 'the container has no directory that it can write its spool to',
    message: text,
    fix: 'Check whether its root file system and /dev/shm are read-only.',
  }
}

/** For a sentence. */
export function nodeName(node: string | undefined): string {
  return node === undefined ? 'the node' : `node ${node}`
}

/** What a recorder outside the target captures. */
export function nodeSubject(target: RecordedTarget): string {
  return target.kind === 'node' ? `node ${target.node}` : `pod ${target.pod} on ${nodeName(target.node)}`
}
