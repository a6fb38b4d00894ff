import { parseTrailer, type Trailer } from '../../../src/capture/trailer.ts'

const sha256 = 'ab'.repeat(32)
const short = [
  'size 12345',
  `sha256 ${sha256}`,
  'reason duration',
  'exit 0',
  'captured 20',
  'received 22',
  'dropped 2',
  'interface-dropped 1',
  'paused 1500 2',
  'recorded 60120',
  'began 1795337022',
]
const read = (...lines: string[]): Trailer | undefined => parseTrailer(lines)

it('reads every line', () => {
  expect(
    read(...short, 'interface 2 eth0', 'interface 1 lo', 'tool tcpdump version 4.99.5 libpcap version 1.10.5'),
  ).toMatchObject({
    size: 12345,
    sha256,
    reason: 'duration',
    exit: 0,
    captured: 20,
    received: 22,
    dropped: 2,
    interfaceDropped: 1,
    pausedMs: 1500,
    pauses: 2,
    recordedMs: 60120,
    began: 1795337022,
    interfaces: [
      { index: 1, name: 'lo' },
      { index: 2, name: 'eth0' },
    ],
    tool: 'tcpdump version 4.99.5 libpcap version 1.10.5',
    words: '',
  })
})

it('reads the short one that stands in the status of the pod, its last line empty', () => {
  expect(parseTrailer(`${short.join('\n')}\n`.split('\n'))).toMatchObject({ size: 12345, interfaces: [], tool: '' })
})

it('says undefined, not 0, for a counter that tcpdump did not tell', () => {
  const known = short.filter((line) => !/^(captured|received|dropped|interface-dropped) /.test(line))
  expect(read(...known)).toMatchObject({
    captured: undefined,
    received: undefined,
    dropped: undefined,
    interfaceDropped: undefined,
  })
  expect(read(...known, 'dropped -1', 'captured many')).toMatchObject({ captured: undefined, dropped: undefined })
})

it('keeps the words of a tcpdump that died, and names with spaces', () => {
  expect(read(...short, 'words eth0: The interface disappeared', 'interface 7 a b')).toMatchObject({
    words: 'eth0: The interface disappeared',
    interfaces: [{ index: 7, name: 'a b' }],
  })
})

it('takes lines that it does not know: a newer recorder may say more', () => {
  expect(read(...short, 'weather fine', '')).toMatchObject({ size: 12345 })
})

describe('is none', () => {
  it.each(['size', 'sha256', 'paused'])('without its %s', (key) => {
    expect(read(...short.filter((line) => !line.startsWith(`${key} `)))).toBeUndefined()
  })

  it.each([
    ['size', 'size -1'],
    ['size', 'size 12e3'],
    ['size', 'size 1234567890123456'],
    ['sha256', 'sha256 '],
    ['sha256', `sha256 ${'AB'.repeat(32)}`],
    ['sha256', `sha256 ${'ab'.repeat(31)}`],
    ['paused', 'paused 10'],
  ])('with a malformed %s: %j', (key, line) => {
    expect(read(...short.filter((one) => !one.startsWith(`${key} `)), line)).toBeUndefined()
  })

  it('for nothing, and for the words of an error', () => {
    expect(read()).toBeUndefined()
    expect(read('error filter syntax error')).toBeUndefined()
  })
})
