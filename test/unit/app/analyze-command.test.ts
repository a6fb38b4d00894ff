import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { analyzeCommand } from '../../../src/app/analyze-command.ts'

const lab = fileURLToPath(new URL('../../captures/', import.meta.url))
const refused = join(lab, 'syn-refused.pcap')
const healthy = join(lab, 'pod-nano.pcap')
const sentence = 'Not the network: 3 connections to 10.244.1.20:9 refused: nothing listens on the port'

let printed: string[] = []
let errors: string[] = []

beforeEach(() => {
  printed = []
  errors = []
  jest.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line))
  jest.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line))
})

afterEach(() => {
  jest.restoreAllMocks()
})

describe('npm run analyze', () => {
  it('prints the diagnosis as text', async () => {
    expect(await analyzeCommand([refused])).toBe(0)
    expect(printed.join('\n').split('\n')[0]).toBe(sentence)
  })

  it('prints the name of each file where there are several', async () => {
    expect(await analyzeCommand([refused, healthy])).toBe(0)
    expect(printed[0]).toMatch(new RegExp(`^${refused}\n${sentence}\n`))
    expect(printed[1]).toMatch(new RegExp(`^\n${healthy}\nNothing wrong`))
  })

  it('prints Markdown', async () => {
    expect(await analyzeCommand(['--markdown', refused])).toBe(0)
    expect(printed.join('\n')).toMatch(/^## 🔴 Not the network: 3 connections/)
  })

  it('prints findings.json, one file a line', async () => {
    expect(await analyzeCommand(['--json', refused, healthy])).toBe(0)
    expect(printed.map((line) => JSON.parse(line) as object)).toMatchObject([
      { version: 1, file: refused, culprit: 'peer', sentence },
      { version: 1, file: healthy, culprit: 'none', findings: [] },
    ])
  })

  it('prints counters', async () => {
    expect(await analyzeCommand(['--counters', '--key-like-tshark', refused])).toBe(0)
    expect(JSON.parse(printed[0]!)).toMatchObject({ packets: 6, tcp: { handshake: { refused: 3 } }, dns: {} })
  })

  it('reads standard input', async () => {
    const original = Object.getOwnPropertyDescriptor(process, 'stdin')!
    Object.defineProperty(process, 'stdin', { ...original, get: () => Readable.from([readFileSync(refused)]) })
    try {
      expect(await analyzeCommand(['--json', '-'])).toBe(0)
    } finally {
      Object.defineProperty(process, 'stdin', original)
    }
    expect(JSON.parse(printed[0]!)).toMatchObject({ file: '-', culprit: 'peer' })
  })

  it('goes on after a file that cannot be read, and exits with 1', async () => {
    const noCapture = fileURLToPath(import.meta.url)
    expect(await analyzeCommand([noCapture, join(lab, 'missing.pcap'), refused])).toBe(1)
    expect(errors).toHaveLength(2)
    expect(errors[0]).toContain('is not a capture')
    expect(errors[1]).toContain('cannot be read')
    expect(printed.join('\n')).toContain(sentence)
  })

  it.each([[[]], [['--findings', refused]], [['--json', '--counters', refused]]])(
    'explains its usage and exits with 2: %j',
    async (args) => {
      expect(await analyzeCommand(args)).toBe(2)
      expect(errors.join('\n')).toContain('Usage: npm run --silent analyze')
      expect(printed).toEqual([])
    },
  )
})
