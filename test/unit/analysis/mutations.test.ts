import { describe, expect, it } from '@jest/globals'
import { Analysis } from '../../../src/analysis/analysis.ts'
import { counters } from '../../../src/analysis/counters.ts'
import { ConnectionFindings } from '../../../src/analysis/findings/connection-findings.ts'
import { CaptureReader } from '../../../src/pcap/capture-reader.ts'
import { damage, randomNumbers, smallCaptures } from '../../support/damaged-captures.ts'

describe('damaged captures', () => {
  it.each([1, 2, 3, 4])('are analysed without an error, with few connections kept (seed %d)', (seed) => {
    const random = randomNumbers(seed)
    for (let round = 0; round < 150; round += 1) {
      const file = damage(smallCaptures[random(smallCaptures.length)]!, random)
      let findings: ConnectionFindings | undefined
      const analysis: Analysis = new Analysis({ maxConnectionsCount: 4 }, (connections) => [
        (findings = new ConnectionFindings(connections, () => 0)),
      ])
      const reader = new CaptureReader(analysis)
      const chunkBytes = 1 + random(5_000)
      for (let at = 0; at < file.length; at += chunkBytes) reader.push(file.subarray(at, at + chunkBytes))
      const end = reader.end()
      const counted = counters(analysis, end)
      expect(counted['packets']).toBe(end.packets + end.customBlocks)
      expect(analysis.connections.table.count).toBeLessThanOrEqual(4)
      expect(Array.isArray(findings?.findings())).toBe(true)
    }
  })
})
