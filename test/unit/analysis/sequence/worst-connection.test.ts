import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Sequence } from '../../../../src/analysis/sequence/sequence.ts'
import { labCaptures } from '../../../support/captures.ts'
import { diagnosisOf } from '../../../support/diagnose.ts'

/** "C SYN #1", "S RST #6", an "x" where there was no answer, "~" before a note. */
function stepsOf({ steps }: Sequence): string[] {
  return steps.map((step) => {
    if (step.kind === 'note') return `~ ${step.text}`
    const { sender, text, frame, isLost } = step
    return `${sender === 'client' ? 'C' : 'S'}${isLost ? 'x' : ''} ${text}${frame === undefined ? '' : ` #${frame}`}`
  })
}

describe('the worst connection', () => {
  it.each([
    ['syn-dropped', ['Cx SYN #1', 'Cx SYN again, 6 packets in 6.1 s #6']],
    ['syn-refused', ['C SYN #1', 'S RST #2']],
    ['rst-after-request', ['C SYN #1', 'S SYN, ACK', '~ then 80 B from the client', 'S RST #6']],
    [
      'pmtu-blackhole-sender',
      [
        'C SYN #1',
        'S SYN, ACK',
        '~ then 88 B from the client and 6.11 KB from the server',
        'Sx the same data again, 6 packets with 8.69 KB in 6.6 s #14',
        'C FIN #20',
      ],
    ],
    ['lo-http-503', ['C GET /503 of 127.0.0.1:8080 #10', 'S status 503 after 0.29 ms #11']],
    ['pod-http-slow-server', ['C GET /200/64/2 of 10.244.1.20:8080 #28', 'S status 200 after 2 s #30']],
    ['dns-errors', ['Cx query drop.example.com #25', 'Cx query drop.example.com #26', 'Cx query drop.example.com #27']],
    ['dns-server-down', ['C packet to port 53', 'S ICMP type 3, code 3 #2']],
    ['arp-unanswered', ['Cx who has 10.244.1.99? #1', '~ no host answers, asked 3 times']],
    [
      'tls12-unknown-ca',
      [
        'C ClientHello for web.prod.svc #4',
        'S ServerHello, TLS 1.2',
        'S certificate of web.prod.svc, valid until 2026-12-22',
        'C alert unknown_ca #8',
        'S FIN',
      ],
    ],
    [
      'tls-protocol-version',
      ['C ClientHello for web.prod.svc offers TLS 1.3 #4', 'S alert protocol_version #6', 'S FIN'],
    ],
    ['tls-to-plain-http', ['C ClientHello #4', 'S HTML #6', 'C RST']],
  ])('of %s is told step by step', async (name, steps) => {
    const { details, findings } = await diagnosisOf(join(labCaptures, `${name}.pcap`))
    if (details.worst === undefined) throw new Error('there is none')
    expect(stepsOf(details.worst)).toEqual(steps)
    expect(details.worst.title).toBe(findings[0]?.title)
  })

  it('is shortened in the middle where there was a lot of trouble', async () => {
    const { details } = await diagnosisOf(join(labCaptures, 'loss-2pct-path-sender.pcap'))
    if (details.worst === undefined) throw new Error('there is none')
    const steps = stepsOf(details.worst)
    expect(steps).toHaveLength(12)
    expect(steps[7]).toBe('~ 39 more steps')
  })

  it.each(['tls13-ok', 'tcp-keepalive', 'pod-nano'])('of %s does not exist: it is healthy', async (name) => {
    expect((await diagnosisOf(join(labCaptures, `${name}.pcap`))).details.worst).toBeUndefined()
  })
})
