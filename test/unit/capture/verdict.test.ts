import { judge, judgeTarget, type Evidence, type Verdict } from '../../../src/capture/verdict.ts'
import { outcome, scan, sha256, trailer } from './evidence.ts'

const verdict = (changes: Partial<Evidence> = {}): Verdict =>
  judge({ outcome: outcome(), scan: scan(), sha256, loopback: false, where: 'container', ...changes })

it('is complete with every proof', () => {
  expect(verdict()).toEqual({
    verdict: 'complete',
    reason: expect.stringContaining('12345 bytes arrived') as string,
    stopReason: 'duration',
    dropped: 0,
  })
  // A connection that broke and was made again takes nothing away.
  expect(verdict({ outcome: outcome({ resumed: 7 }) }).verdict).toBe('complete')
})

it('is empty when nothing matched and nothing is missing', () => {
  const none = scan({ packets: 0, bytes: 24, wholeBytes: 24, first: undefined, last: undefined })
  expect(verdict({ outcome: outcome({ trailer: trailer({ size: '24' }) }), scan: none })).toMatchObject({
    verdict: 'empty',
    stopReason: 'duration',
    dropped: 0,
  })
  // No packet here, but not all of the stream either: that is not "nothing matched".
  expect(verdict({ scan: none }).verdict).toBe('partial')
  const dropped = outcome({ trailer: trailer({ size: '24', dropped: '9' }) })
  expect(verdict({ outcome: dropped, scan: none }).verdict).toBe('partial')
})

describe('is partial, and says why', () => {
  it.each<[string, Partial<Evidence>, RegExp]>([
    ['bytes are missing', { scan: scan({ bytes: 12000, wholeBytes: 12000 }) }, /^12000 of 12345 bytes arrived/],
    [
      'more bytes came than were sent',
      { scan: scan({ bytes: 12346, wholeBytes: 12346 }) },
      /^12346 of 12345 bytes arrived/,
    ],
    ['the hash differs', { sha256: 'cd'.repeat(32) }, /^the SHA-256 of what arrived is not/],
    ['the last packet is cut', { scan: scan({ wholeBytes: 12000 }) }, /the last packet is cut off$/],
    ['the pcap is broken', { scan: scan({ broken: 'packet 3 claims 9 GB' }) }, /cannot be read: packet 3 claims 9 GB/],
    ['the kernel dropped', { outcome: outcome({ trailer: trailer({ dropped: '4' }) }) }, /^4 packets were dropped/],
    [
      'the interface dropped',
      { outcome: outcome({ trailer: trailer({ 'interface-dropped': '3' }) }) },
      /^3 packets were dropped/,
    ],
    [
      'both dropped',
      { outcome: outcome({ trailer: trailer({ dropped: '4', 'interface-dropped': '3' }) }) },
      /^7 packets were dropped/,
    ],
    [
      'the loopback took part in the count',
      { outcome: outcome({ trailer: trailer({ dropped: '4' }) }), loopback: true },
      /^at most 4 packets were dropped/,
    ],
    [
      'the drops are unknown',
      { outcome: outcome({ trailer: trailer({ dropped: '' }) }) },
      /did not tell whether packets were dropped/,
    ],
    ['it paused once', { outcome: outcome({ trailer: trailer({ paused: '1500 1' }) }) }, /paused once for 1\.5 s/],
    [
      'it paused often',
      { outcome: outcome({ trailer: trailer({ paused: '61000 12' }) }) },
      /paused 12 times for 61\.0 s/,
    ],
    [
      'tcpdump died',
      { outcome: outcome({ trailer: trailer({ reason: 'died', exit: '1', words: 'The interface disappeared' }) }) },
      /tcpdump ended by itself \(exit code 1\): The interface disappeared/,
    ],
    [
      'the owner was silent',
      { outcome: outcome({ trailer: trailer({ reason: 'owner' }) }) },
      /not heard from the runner/,
    ],
    [
      'the deadline came first',
      { outcome: outcome({ trailer: trailer({ reason: 'deadline' }) }) },
      /reached its deadline/,
    ],
    [
      'there is no trailer',
      { outcome: outcome({ trailer: undefined, end: 'gave-up', detail: 'closed (code 1006)' }) },
      /^the connection was lost .*\(closed \(code 1006\)\); 12345 bytes had arrived$/,
    ],
    [
      'the pod went away',
      { outcome: outcome({ trailer: undefined, end: 'place-gone', detail: 'the pod was deleted' }) },
      /^the pod went away \(the pod was deleted\)/,
    ],
    [
      'the disk of the runner was full',
      { outcome: outcome({ trailer: undefined, end: 'runner-disk', detail: 'ENOSPC' }) },
      /^the runner's disk refused the data \(ENOSPC\)/,
    ],
    [
      'the container ended with more than was fetched',
      { outcome: outcome({ end: 'container-ended' }), scan: scan({ bytes: 100, wholeBytes: 100 }) },
      /^100 of 12345 bytes arrived \(the capture's container ended/,
    ],
  ])('when %s', (_name, changes, reason) => {
    const judged = verdict(changes)
    expect(judged.verdict).toBe('partial')
    expect(judged.reason).toMatch(reason)
  })

  it('with every reason that there is', () => {
    const { reason } = verdict({
      outcome: outcome({ trailer: trailer({ dropped: '4', paused: '100 1', reason: 'owner' }) }),
      scan: scan({ bytes: 12000, wholeBytes: 11990 }),
    })
    for (const part of [
      '12000 of 12345',
      'not heard from the runner',
      'paused once',
      'cut off',
      '4 packets were dropped',
    ]) {
      expect(reason).toContain(part)
    }
  })

  it('never claims a drop count that it does not know', () => {
    expect(verdict({ outcome: outcome({ trailer: undefined, end: 'gave-up' }) }).dropped).toBeUndefined()
    expect(verdict({ outcome: outcome({ trailer: trailer({ dropped: '' }) }) }).dropped).toBeUndefined()
    expect(
      verdict({ outcome: outcome({ trailer: trailer({ dropped: '4', 'interface-dropped': '1' }) }) }).dropped,
    ).toBe(5)
  })
})

describe('the stop reason', () => {
  it.each([
    ['duration', 'duration'],
    ['size', 'size'],
    ['packets', 'packets'],
    ['cancelled', 'cancelled'],
    ['terminated', 'target-gone'],
    ['target-gone', 'target-gone'],
    ['died', 'error'],
    ['owner', 'error'],
    ['deadline', 'error'],
    ['a word of tomorrow', 'error'],
  ])('of a trailer that says %s is %s', (reason, expected) => {
    expect(verdict({ outcome: outcome({ trailer: trailer({ reason }) }) }).stopReason).toBe(expected)
  })

  it('without a trailer tells a pod that went from everything else', () => {
    const without = (end: 'place-gone' | 'gave-up' | 'runner-disk' | 'container-ended' | 'held'): string =>
      verdict({ outcome: outcome({ trailer: undefined, end }) }).stopReason
    expect(without('place-gone')).toBe('target-gone')
    expect(without('gave-up')).toBe('error')
    expect(without('runner-disk')).toBe('error')
    expect(without('container-ended')).toBe('error')
  })

  it.each<[Evidence['where'], string]>([
    ['node-pod', "the recorder's own node pod, not the target,"],
    ['ssh', 'the recorder on the node, not the target,'],
  ])('of a node is the end of its target alone: by %s the recorder may be ended by itself', (where, who) => {
    const stopped = verdict({ where, outcome: outcome({ trailer: trailer({ reason: 'terminated' }) }) })
    expect(stopped).toMatchObject({
      verdict: 'partial',
      reason: `${who} was stopped before the capture was over`,
      stopReason: 'error',
    })
    const gone = outcome({ trailer: undefined, end: 'place-gone', detail: 'the pod was deleted' })
    expect(verdict({ where, outcome: gone })).toMatchObject({
      reason: `${who} went away (the pod was deleted); 12345 bytes had arrived`,
      stopReason: 'error',
    })
    const cut = verdict({ where, outcome: outcome({ end: 'place-gone' }), scan: scan({ bytes: 5, wholeBytes: 5 }) })
    expect(cut.reason).toMatch(`5 of 12345 bytes arrived (${who} went away)`)
    const target = verdict({ where, outcome: outcome({ trailer: trailer({ reason: 'target-gone' }) }) })
    expect(target.stopReason).toBe('target-gone')
  })

  it('of a limit is no flaw: the capture is complete', () => {
    for (const reason of ['size', 'packets', 'cancelled']) {
      expect(verdict({ outcome: outcome({ trailer: trailer({ reason }) }) }).verdict).toBe('complete')
    }
  })

  it.each(['terminated', 'hash', 'anything'])('%s: the capture was not over, though all of it arrived', (reason) => {
    expect(verdict({ outcome: outcome({ trailer: trailer({ reason }) }) })).toMatchObject({
      verdict: 'partial',
      stopReason: reason === 'terminated' ? 'target-gone' : 'error',
    })
  })

  it('of a node whose pod went away is no success, and not a word that nobody knows', () => {
    const { verdict: how, reason } = verdict({ outcome: outcome({ trailer: trailer({ reason: 'target-gone' }) }) })
    expect({ how, reason }).toEqual({ how: 'partial', reason: 'the pod went away before the capture was over' })
  })
})

it('of a target that was lost before the end the capture is partial, whatever else is proven', () => {
  const complete = {
    verdict: 'complete',
    reason: 'all 10 bytes arrived',
    stopReason: 'duration',
    dropped: 0,
  } as const
  const lost = { kind: 'lost', why: 'the pod web-1 went away' } as const
  expect(judgeTarget(complete, lost)).toEqual({
    ...complete,
    verdict: 'partial',
    reason: 'the pod web-1 went away before the capture was over',
  })
  expect(judgeTarget({ ...complete, verdict: 'partial', reason: 'one more' }, lost).reason).toBe(
    'the pod web-1 went away before the capture was over; one more',
  )
  const said = 'the pod went away before the capture was over; 3 packets were dropped'
  expect(judgeTarget({ ...complete, verdict: 'partial', reason: said }, lost).reason).toBe(
    'the pod web-1 went away before the capture was over; 3 packets were dropped',
  )
  expect(judgeTarget(complete, { kind: 'there' })).toBe(complete)
  expect(judgeTarget(complete, { kind: 'unknown', why: 'no answer' })).toBe(complete)
})
