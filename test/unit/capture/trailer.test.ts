import { compareWithTrailer, parseTrailer, type Trailer } from '../../../src/capture/trailer.ts'

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

it('reads every line of a trailer', () => {
  expect(
    read(...short, 'interface 2 eth0 0 -', 'interface 1 lo 0 -', 'tool tcpdump version 4.99.5 libpcap version 1.10.5'),
  ).toMatchObject({
    sizeBytes: 12345,
    sha256,
    reason: 'duration',
    exitCode: 0,
    captured: 20,
    received: 22,
    dropped: 2,
    interfaceDropped: 1,
    pausedMs: 1500,
    pauseCount: 2,
    recordedMs: 60120,
    beganSeconds: 1795337022,
    interfaces: [
      { index: 1, name: 'lo' },
      { index: 2, name: 'eth0' },
    ],
    tool: 'tcpdump version 4.99.5 libpcap version 1.10.5',
    message: '',
  })
})

it('reads the short trailer of the termination message, whose last line is empty', () => {
  expect(parseTrailer(`${short.join('\n')}\n`.split('\n'))).toMatchObject({
    sizeBytes: 12345,
    interfaces: [],
    tool: '',
  })
})

it('returns undefined, not 0, for a counter that tcpdump did not report', () => {
  const known = short.filter((line) => !/^(captured|received|dropped|interface-dropped) /.test(line))
  expect(read(...known)).toMatchObject({
    captured: undefined,
    received: undefined,
    dropped: undefined,
    interfaceDropped: undefined,
  })
  expect(read(...known, 'dropped -1', 'captured many')).toMatchObject({ captured: undefined, dropped: undefined })
})

it('keeps the output of a tcpdump that failed, and when an interface was there', () => {
  expect(read(...short, 'message eth0: The interface disappeared', 'interface 7 eth0.5 4 9')).toMatchObject({
    message: 'eth0: The interface disappeared',
    interfaces: [{ index: 7, name: 'eth0.5', fromSeconds: 4, untilSeconds: 9 }],
  })
})

it('ignores unknown lines, because a newer recorder may write them', () => {
  expect(read(...short, 'weather fine', '')).toMatchObject({ sizeBytes: 12345 })
})

it('limits the length and number of interfaces, and the length of every text', () => {
  const parsed = read(
    ...short.filter((line) => !line.startsWith('reason ')),
    `reason ${'r'.repeat(5_000)}`,
    `tool ${'t'.repeat(5_000)}`,
    `message a\u0007b${'w'.repeat(5_000)}`,
    ...['interface 1 a23456789012345 0 -', 'interface 2 a234567890123456 0 -', `interface 3 ${'é'.repeat(9)} 0 -`],
    ...['interface x eth0 0 -', 'interface 12345678901 eth1 0 -', 'interface -1 eth2 0 -', 'interface 1e9 eth3 0 -'],
    ...['interface 4 eth4', 'interface 5 eth5 x -', 'interface 6 eth6 0 x'],
  )
  expect(parsed?.interfaces.map(({ index, name }) => ({ index, name }))).toEqual([
    { index: 1, name: 'a23456789012345' },
    { index: 2, name: 'a23456789012345' },
    { index: 3, name: 'ééééééé\ufffd' },
  ])
  expect([parsed?.reason, parsed?.tool, parsed?.message].map((text) => text?.length)).toEqual([100, 100, 1_000])
  expect(parsed?.message).toMatch(/^a bw/)
  const many = Array.from({ length: 1_001 }, (_, i) => `interface ${String(i + 1)} veth${String(i)} 0 -`)
  expect(read(...short, ...many)?.interfaces).toHaveLength(800)
})

describe('a number out of range', () => {
  const without = (key: string): string[] => short.filter((line) => !line.startsWith(`${key} `))
  it.each<[string, string, keyof Trailer, unknown]>([
    // `began 99999999999999` made toISOString throw, after which no result was reported.
    ['began', '99999999999999', 'beganSeconds', 0],
    ['began', '4294967297', 'beganSeconds', 0],
    ['began', '4294967296', 'beganSeconds', 4294967296],
    ['began', '-1', 'beganSeconds', 0],
    ['began', 'NaN', 'beganSeconds', 0],
    ['began', 'Infinity', 'beganSeconds', 0],
    ['began', '1.5', 'beganSeconds', 0],
    ['began', '0x10', 'beganSeconds', 0],
    ['recorded', '31622400001', 'recordedMs', 0],
    ['recorded', '-5', 'recordedMs', 0],
    ['exit', '256', 'exitCode', -1],
    ['exit', '255', 'exitCode', 255],
    ['exit', '-1', 'exitCode', -1],
    ['captured', '1000000000000001', 'captured', undefined],
    ['received', '9'.repeat(400), 'received', undefined],
    ['dropped', '1e9', 'dropped', undefined],
    ['interface-dropped', '٣', 'interfaceDropped', undefined],
  ])('of the line %s (%s) counts as missing', (key, value, field, expected) => {
    expect(read(...without(key), `${key} ${value}`)?.[field]).toBe(expected)
  })

  it.each(['31622400001 1', '1 1000000000000001', '-1 1', '1 NaN', '1', '1 2 3'])(
    'of the line paused (%s) makes the trailer unreadable, because pauses decide about completeness',
    (value) => {
      expect(read(...without('paused'), `paused ${value}`)).toBeUndefined()
    },
  )

  it('of an interface leaves it out; of two lines with the same number and time the last one counts', () => {
    const lines = ['interface 2147483648 a 0 -', 'interface -1 b 0 -', 'interface 3 old 0 -', 'interface 3 new 0 -']
    expect(read(...short, ...lines)?.interfaces).toMatchObject([{ index: 3, name: 'new' }])
  })
})

it.each(short.map((line) => line.split(' ')[0] ?? ''))('rejects a trailer with two lines %s', (key) => {
  const line = short.find((one) => one.startsWith(`${key} `)) ?? ''
  expect(read(...short, line)).toBeUndefined()
})

describe('returns no trailer', () => {
  it.each(['size', 'sha256', 'paused'])('when the line %s is missing', (key) => {
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
  ])('when the line %s is malformed: %j', (key, line) => {
    expect(read(...short.filter((one) => !one.startsWith(`${key} `)), line)).toBeUndefined()
  })

  it('when there are no lines or only an error message', () => {
    expect(read()).toBeUndefined()
    expect(read('error filter syntax error')).toBeUndefined()
  })
})

it('compares the size and the hash of the received bytes with the trailer', () => {
  const trailer = read(...short) as Trailer
  expect(compareWithTrailer(trailer, { bytes: 12345, sha256 })).toBe('equal')
  expect(compareWithTrailer(trailer, { bytes: 12344, sha256 })).toBe('size-differs')
  expect(compareWithTrailer(trailer, { bytes: 12345, sha256: 'cd'.repeat(32) })).toBe('hash-differs')
})
