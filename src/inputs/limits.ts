import { countBetween, durationBetween, sizeBetween } from './forms.ts'
import type { InputReader } from './reader.ts'

/** What ends a capture. */
export interface Limits {
  readonly durationSeconds: number
  /** of the pcap */
  readonly maxBytes: number
  readonly maxPackets: number | undefined
}

const maxDurationSeconds = 6 * 3600

export function readLimits(inputs: InputReader): Limits {
  return {
    durationSeconds: inputs.withDefault(
      'duration',
      '60s',
      durationBetween(1, maxDurationSeconds, 'a duration from 1s to 6h, such as 90, 90s, 5m or 1h30m'),
    ),
    maxBytes: inputs.withDefault(
      'max-size',
      '1GB',
      sizeBetween(1000, 1e15, 'a size of at least 1KB, such as 500MB, 1GB, 64MiB or a number of bytes'),
    ),
    maxPackets: inputs.optional('max-packets', countBetween(1, 2147483647, 'a number from 1 to 2147483647')),
  }
}
