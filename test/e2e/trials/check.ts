import { statSync } from 'node:fs'
import type { StepResult } from '../../runner/step-process.ts'
import { command } from '../cluster.ts'
import { countPackets } from '../pcap.ts'
import { captureOf } from './step.ts'

/** Checks with tcpdump and tshark that the file of the outputs is readable to its last byte. @returns its number of packets */
export async function soundPackets(step: StepResult): Promise<number> {
  const { packets } = captureOf(step)
  const path = step.outputs['pcap-path'] ?? ''
  expect(await countPackets(path)).toBe(packets)
  // tshark fails if the file ends in the middle of a packet
  const last = await command('tshark', [
    '-n',
    '-r',
    path,
    '-c',
    String(packets + 1),
    '-T',
    'fields',
    '-e',
    'frame.number',
  ])
  expect(Number(last.trim().split('\n').at(-1))).toBe(packets)
  expect(statSync(path).size).toBe(Number(step.outputs['bytes']))
  return packets
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
export const seconds = (value: number): string => `${value.toFixed(1)} s`
/** Seconds since a time from performance.now(). */
export const since = (start: number): number => (performance.now() - start) / 1000
export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
