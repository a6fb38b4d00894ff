import { sanitizeRemoteText } from '../common/remote-text.ts'

/** What the recorder writes at the end of its spool. A counter that tcpdump did not report is undefined. */
export interface Trailer {
  /** of the whole stream */
  readonly sizeBytes: number
  /** of the whole stream, hex */
  readonly sha256: string
  /** as the recorder names it: duration, size, packets, died, heartbeat-timeout, deadline, terminated, or the word of a stop command */
  readonly reason: string
  /** memory: no disk of the pod was writable, so a spool of 4 MB in /dev/shm was used */
  readonly spool: 'disk' | 'memory'
  /** of tcpdump */
  readonly exitCode: number
  readonly captured: number | undefined
  readonly received: number | undefined
  readonly dropped: number | undefined
  readonly interfaceDropped: number | undefined
  readonly pausedMs: number
  readonly pauseCount: number
  readonly recordedMs: number
  /** the node's clock at "listening", s since the epoch; 0 where it is not known */
  readonly beganSeconds: number
  readonly interfaces: readonly RecordedInterface[]
  /** the versions of tcpdump and libpcap */
  readonly tool: string
  /** the last output of a tcpdump that ended by itself */
  readonly message: string
}

/** An interface that was there during the capture. An index belongs to one interface at a time. */
export interface RecordedInterface {
  readonly index: number
  readonly name: string
  /** seconds after "listening": when it was first seen */
  readonly fromSeconds: number
  /** when it was seen to be gone; undefined where it was there at the end */
  readonly untilSeconds: number | undefined
}

/** How the received bytes compare with the trailer. */
export type TrailerMatch = 'equal' | 'size-differs' | 'hash-differs'

/** IFNAMSIZ of the kernel without its NUL. What follows limits what a node can make the runner keep; characters are UTF-16 units. */
const maxInterfaceNameBytes = 15
const maxInterfaceCount = 800
const maxReasonCharacters = 100
const maxToolCharacters = 100
const maxMessageCharacters = 1_000

/** Every number has a limit, so that no report of it can fail. A sum of two of them is still a safe integer. */
const maxCount = 1e15
/** A year: much more than any capture records, and a time that every clock and format can show. */
const maxMs = 366 * 86_400_000
/** The pcap format ends here (its seconds have 32 bits), and Date and ISO 8601 go on. */
const maxEpochSeconds = 2 ** 32
/** waitpid(2): a status has 8 bits */
const uint8 = 255
/** ifindex is a positive int of the kernel */
const int32 = 2 ** 31 - 1

/**
 * Reads the lines of a trailer (`key value…`); undefined where a line that every trailer has is missing, malformed or out of range, or where a
 * key has two values: no recorder writes that. Another number that is out of range counts as missing.
 */
export function parseTrailer(lines: readonly string[]): Trailer | undefined {
  const { values, interfaces, hasTwoValues } = splitLines(lines)
  const sizeBytes = numberAt(values, 'size')
  const sha256 = values.get('sha256') ?? ''
  const paused = pausesIn(values.get('paused') ?? '')
  if (hasTwoValues || sizeBytes === undefined || !/^[0-9a-f]{64}$/.test(sha256) || !paused) return undefined
  return {
    sizeBytes,
    sha256,
    reason: textAt(values, 'reason', maxReasonCharacters),
    spool: values.get('spool') === 'memory' ? 'memory' : 'disk',
    exitCode: numberAt(values, 'exit', uint8) ?? -1,
    captured: numberAt(values, 'captured'),
    received: numberAt(values, 'received'),
    dropped: numberAt(values, 'dropped'),
    interfaceDropped: numberAt(values, 'interface-dropped'),
    ...paused,
    recordedMs: numberAt(values, 'recorded', maxMs) ?? 0,
    beganSeconds: numberAt(values, 'began', maxEpochSeconds) ?? 0,
    interfaces: interfaces.sort((a, b) => a.index - b.index || a.fromSeconds - b.fromSeconds),
    tool: textAt(values, 'tool', maxToolCharacters),
    message: textAt(values, 'message', maxMessageCharacters),
  }
}

/** Compares what arrived with what the recorder sent. `sha256`: hex */
export function compareWithTrailer(
  trailer: Trailer,
  received: { readonly bytes: number; readonly sha256: string },
): TrailerMatch {
  if (received.bytes !== trailer.sizeBytes) return 'size-differs'
  return received.sha256 === trailer.sha256 ? 'equal' : 'hash-differs'
}

function splitLines(lines: readonly string[]): {
  readonly values: ReadonlyMap<string, string>
  readonly interfaces: RecordedInterface[]
  readonly hasTwoValues: boolean
} {
  const values = new Map<string, string>()
  const interfaces = new Map<string, RecordedInterface>()
  let hasTwoValues = false
  for (const line of lines) {
    const [, key = '', value = ''] = /^(\S*) ?([^]*)$/.exec(line.trim()) ?? []
    if (key === 'interface') {
      const found = interfaces.size < maxInterfaceCount ? parseInterface(value) : undefined
      if (found) interfaces.set(`${found.index} ${found.fromSeconds}`, found)
    } else if (knownKeys.has(key)) {
      hasTwoValues ||= values.has(key)
      values.set(key, value)
    }
  }
  return { values, interfaces: [...interfaces.values()], hasTwoValues }
}

const knownKeys = new Set([
  ...['size', 'sha256', 'reason', 'spool', 'exit', 'captured', 'received', 'dropped', 'interface-dropped'],
  ...['paused', 'recorded', 'began', 'tool', 'message'],
])

function numberAt(values: ReadonlyMap<string, string>, key: string, max = maxCount): number | undefined {
  return boundedNumber(values.get(key) ?? '', max)
}

function boundedNumber(text: string, max: number): number | undefined {
  return /^\d{1,16}$/.test(text) && Number(text) <= max ? Number(text) : undefined
}

/** `MS COUNT` */
function pausesIn(text: string): { readonly pausedMs: number; readonly pauseCount: number } | undefined {
  const [, ms = '', count = ''] = /^(\d+) (\d+)$/.exec(text) ?? []
  const pausedMs = boundedNumber(ms, maxMs)
  const pauseCount = boundedNumber(count, maxCount)
  return pausedMs === undefined || pauseCount === undefined ? undefined : { pausedMs, pauseCount }
}

function textAt(values: ReadonlyMap<string, string>, key: string, maxCharacters: number): string {
  return sanitizeRemoteText(values.get(key) ?? '', maxCharacters)
}

/** `INDEX NAME FROM UNTIL`, UNTIL `-` where it was there at the end; undefined where the line has another form. No name has a blank. */
function parseInterface(value: string): RecordedInterface | undefined {
  const [, index = '', name = '', from = '', until = ''] =
    /^(\d{1,10}) (\S+) (\d{1,10}) (\d{1,10}|-)$/.exec(value) ?? []
  const number = boundedNumber(index, int32)
  if (number === undefined) return undefined
  const bytes = Buffer.from(name).subarray(0, maxInterfaceNameBytes)
  return {
    index: number,
    name: sanitizeRemoteText(bytes.toString('utf8'), maxInterfaceNameBytes),
    fromSeconds: Number(from),
    untilSeconds: until === '-' ? undefined : Number(until),
  }
}
