import { foreignWords } from './foreign.ts'

/** What the spool's side says at the end. Times in ms, sizes in bytes; a counter that tcpdump did not tell is undefined. */
export interface Trailer {
  readonly size: number
  /** of the logical stream, hex */
  readonly sha256: string
  /** as the recorder names it: duration, size, packets, died, owner, deadline, terminated, or the word of a stop command */
  readonly reason: string
  /** memory: the pod's disk gave no room, a spool of 4 MB in /dev/shm was used */
  readonly spool: 'disk' | 'memory'
  /** tcpdump's exit code */
  readonly exit: number
  readonly captured: number | undefined
  readonly received: number | undefined
  readonly dropped: number | undefined
  readonly interfaceDropped: number | undefined
  readonly pausedMs: number
  readonly pauses: number
  readonly recordedMs: number
  /** the node's clock at "listening", s since the epoch */
  readonly began: number
  readonly interfaces: readonly { readonly index: number; readonly name: string }[]
  /** tcpdump's and libpcap's versions */
  readonly tool: string
  /** tcpdump's last words when it died */
  readonly words: string
}

/** A node may say anything: of names, bytes (IFNAMSIZ of the kernel without its NUL); of interfaces, number; of the rest, UTF-16 units. */
const longestName = 15
const mostInterfaces = 1_000
const longestReason = 100
const longestTool = 100
const longestWords = 1_000

/** Reads the lines of a trailer (`key value…`); undefined when one that every trailer has is missing or malformed. */
export function parseTrailer(lines: readonly string[]): Trailer | undefined {
  const values = new Map<string, string>()
  const interfaces: { index: number; name: string }[] = []
  for (const line of lines) {
    const [key = '', ...rest] = line.trim().split(' ')
    if (key === 'interface') {
      const [index = '', ...name] = rest
      if (interfaces.length < mostInterfaces && /^\d{1,10}$/.test(index))
        interfaces.push({ index: Number(index), name: interfaceName(name.join(' ')) })
    } else values.set(key, rest.join(' '))
  }
  const number = (key: string): number | undefined => {
    const text = values.get(key)
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }
  const size = number('size')
  const sha256 = values.get('sha256') ?? ''
  const [, paused, pauses] = /^(\d{1,15}) (\d{1,15})$/.exec(values.get('paused') ?? '') ?? []
  if (size === undefined || !/^[0-9a-f]{64}$/.test(sha256) || paused === undefined || pauses === undefined)
    return undefined
  return {
    size,
    sha256,
    reason: foreignWords(values.get('reason') ?? '', longestReason),
    spool: values.get('spool') === 'memory' ? 'memory' : 'disk',
    exit: number('exit') ?? -1,
    captured: number('captured'),
    received: number('received'),
    dropped: number('dropped'),
    interfaceDropped: number('interface-dropped'),
    pausedMs: Number(paused),
    pauses: Number(pauses),
    recordedMs: number('recorded') ?? 0,
    began: number('began') ?? 0,
    interfaces: interfaces.sort((a, b) => a.index - b.index),
    tool: foreignWords(values.get('tool') ?? '', longestTool),
    words: foreignWords(values.get('words') ?? '', longestWords),
  }
}

function interfaceName(text: string): string {
  return foreignWords(Buffer.from(text).subarray(0, longestName).toString('utf8'), longestName)
}
