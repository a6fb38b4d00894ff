import { formatSize } from '../../common/quantities.ts'
import { durationText } from '../findings/wording.ts'
import type { FindingId } from '../findings/finding.ts'
import type { ConnectionLog, TcpStep, TcpStepKind } from './connection-logs.ts'
import type { TimedSequence, TimedStep } from './sequence.ts'

/** Findings whose repeated data never arrives. */
const unacknowledged: readonly FindingId[] = ['peer-vanished', 'path-mtu-black-hole']

/** A connection with trouble, from its SYN on. */
export function tcpSequence(log: ConnectionLog, id: FindingId): TimedSequence {
  const { client, server, firstTimeNs: startNs, first, latest, clientDirection, leftOutCount } = log
  const hasAnswer = [...first, ...latest].some(({ direction }) => direction !== clientDirection)
  const isLost = ({ kind }: Pick<TcpStep, 'kind'>): boolean => {
    if (kind === 'data-again') return unacknowledged.includes(id)
    return kind === 'syn' && log.begin.synAckNs === undefined && !hasAnswer
  }
  const toStep = (step: TcpStep): TimedStep => {
    const sender = step.direction === clientDirection ? 'client' : 'server'
    return { sender, text: stepText(step, log), timeNs: step.timeNs, frame: step.frame, isLost: isLost(step) }
  }
  const leftOut = leftOutCount === 0 ? [] : [{ note: `${leftOutCount} more steps` }]
  const begin = beginSteps(log, isLost({ kind: 'syn' }))
  return { client, server, startNs, steps: [...begin, ...first.map(toStep), ...leftOut, ...latest.map(toStep)] }
}

function beginSteps({ begin, clientDirection }: ConnectionLog, isLost: boolean): TimedStep[] {
  const { syn, synAckNs, dataBytes } = begin
  const [sent, received] = [dataBytes[clientDirection]!, dataBytes[1 - clientDirection]!]
  const data = [
    ...(sent > 0 ? [`${formatSize(sent)} from the client`] : []),
    ...(received > 0 ? [`${formatSize(received)} from the server`] : []),
  ]
  return [
    ...(syn === undefined ? [] : [{ sender: 'client', text: 'SYN', ...syn, isLost } satisfies TimedStep]),
    ...(synAckNs === undefined ? [] : [{ sender: 'server', text: 'SYN, ACK', timeNs: synAckNs } satisfies TimedStep]),
    ...(data.length === 0 ? [] : [{ note: `then ${data.join(' and ')}` }]),
  ]
}

const names: Readonly<Record<TcpStepKind, string>> = {
  syn: 'SYN',
  'syn-ack': 'SYN, ACK',
  data: 'data',
  'data-again': 'the same data again',
  'data-late': 'data out of order',
  'zero-window': 'window 0',
  'window-open': 'window open again',
  probe: 'window probe',
  'keep-alive': 'keep-alive',
  fin: 'FIN',
  reset: 'RST',
}

/** "data, 12 packets with 17.5 KB in 120 ms" */
function stepText(step: TcpStep, { begin, first }: ConnectionLog): string {
  const { kind, count, bytes, timeNs, lastNs } = step
  const size = bytes > 0 && kind.startsWith('data') ? formatSize(bytes) : ''
  const times = count > 1 ? ` in ${durationText(Math.max(0, lastNs - timeNs) / 1e6)}` : ''
  const packets = count > 1 ? `${count} packets` : ''
  const amount = [packets, size].filter(Boolean).join(' with ')
  const isKnown = kind === 'syn' ? begin.syn !== undefined : kind === 'syn-ack' && begin.synAckNs !== undefined
  const again = isKnown || (kind.startsWith('syn') && first.find((one) => one.kind === kind) !== step) ? ' again' : ''
  return `${names[kind]}${again}${amount === '' ? '' : `, ${amount}`}${times}`
}
