import type { DnsExample, DnsServer } from '../application/dns-servers.ts'
import type { Finding } from '../findings/finding.ts'
import { durationText } from '../findings/wording.ts'
import type { TimedSequence, TimedStep } from './sequence.ts'

const dnsPort = 53

/** Up to three queries that show the finding. Undefined: it is not about single queries. */
export function dnsSequence({ id, evidence }: Finding, servers: readonly DnsServer[]): TimedSequence | undefined {
  const server = servers.find((one) => one.server === evidence[0]?.server.address)
  const frame = evidence[0]?.frames[0]
  const examples = server === undefined ? [] : examplesOf(id, server, frame ?? 0)
  const first = examples[0]
  if (first === undefined) return undefined
  return {
    client: { address: first.client, port: 0 },
    server: { address: first.server, port: dnsPort },
    startNs: first.timeNs,
    steps: examples.flatMap(stepsOf),
  }
}

function examplesOf(id: Finding['id'], server: DnsServer, frame: number): readonly DnsExample[] {
  if (id === 'dns-failed' || id === 'dns-name-missing')
    return [...server.failures.values()].find(({ frames }) => frames[0] === frame)?.examples ?? []
  if (id === 'dns-unanswered') return server.unanswered.examples
  return id === 'dns-slow' && server.slowest !== undefined ? [server.slowest] : []
}

function stepsOf({ name, queryFrame, timeNs, answer }: DnsExample): TimedStep[] {
  const isLost = answer === undefined
  return [
    { sender: 'client', text: `query ${name}`, timeNs, frame: queryFrame, isLost },
    ...(isLost
      ? []
      : [
          {
            sender: 'server',
            text: `${answer.code} after ${durationText(answer.durationNs / 1e6)}`,
            frame: answer.frame,
            timeNs: timeNs + answer.durationNs,
          } satisfies TimedStep,
        ]),
  ]
}
