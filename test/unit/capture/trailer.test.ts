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

it('keeps of an interface what the kernel would call one, and of the rest what is enough to read', () => {
  const parsed = read(
    ...short.filter((line) => !line.startsWith('reason ')),
    `reason ${'r'.repeat(5_000)}`,
    `tool ${'t'.repeat(5_000)}`,
    `words a\u0007b${'w'.repeat(5_000)}`,
    ...['interface 1 a23456789012345', 'interface 2 a234567890123456', `interface 3 ${'é'.repeat(9)}`],
    ...['interface x eth0', 'interface 12345678901 eth1', 'interface -1 eth2', 'interface 1e9 eth3'],
  )
  expect(parsed?.interfaces).toEqual([
    { index: 1, name: 'a23456789012345' },
    { index: 2, name: 'a23456789012345' },
    { index: 3, name: 'ééééééé\ufffd' },
  ])
  expect([parsed?.reason, parsed?.tool, parsed?.words].map((text) => text?.length)).toEqual([100, 100, 1_000])
  expect(parsed?.words).toMatch(/^a bw/)
  const many = Array.from({ length: 1_001 }, (_, i) => `interface ${String(i + 1)} veth${String(i)}`)
  expect(read(...short, ...many)?.interfaces).toHaveLength(1_000)
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
    ['paused', 'paused 10 often'],
    ['paused', 'paused 1e400 1'],
  ])('with a malformed %s: %j', (key, line) => {
    expect(read(...short.filter((one) => !one.startsWith(`${key} `)), line)).toBeUndefined()
  })

  it('for nothing, and for the words of an error', () => {
    expect(read()).toBeUndefined()
    expect(read('error filter syntax error')).toBeUndefined()
  })
})
