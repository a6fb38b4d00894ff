import type { FollowOutcome } from '../../src/capture/follower.ts'
import { parseTrailer, type Trailer } from '../../src/capture/trailer.ts'
import type { PcapScan } from '../../src/pcap/scanner.ts'

/** The evidence of a complete capture of 20 packets, for tests that change parts of it. */

export const sha256 = 'ab'.repeat(32)

/** A trailer as the recorder writes it; `changes` replaces lines with the given first word, '' removes a line. */
export function trailer(changes: Record<string, string> = {}): Trailer {
  const lines = {
    size: '12345',
    sha256,
    reason: 'duration',
    exit: '0',
    captured: '20',
    received: '20',
    dropped: '0',
    paused: '0 0',
    recorded: '60100',
    began: '1795337022',
    ...changes,
  }
  const parsed = parseTrailer(
    Object.entries(lines).flatMap(([key, value]) => (value === '' ? [] : [`${key} ${value}`])),
  )
  if (parsed === undefined) throw new Error('the trailer of the test is invalid')
  return parsed
}

export const outcome = (changes: Partial<FollowOutcome> = {}): FollowOutcome => ({
  trailer: trailer(),
  end: 'whole',
  detail: '',
  reconnectCount: 0,
  ...changes,
})

export const scan = (changes: Partial<PcapScan> = {}): PcapScan => ({
  packets: 20,
  bytes: 12345,
  wholeBytes: 12345,
  linkType: 276,
  first: 1_795_337_022_100,
  last: 1_795_337_082_000,
  broken: undefined,
  ...changes,
})
