import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from '../../../src/common/quantities.ts'

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    ['2h', 7200],
    ['1h30m', 5400],
    ['1h5s', 3605],
    ['1h30m15s', 5415],
    ['999999999', 999_999_999],
  ])('reads %s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds)
  })

  it.each(['', '1.5m', '-5', '5 m', '5M', '30m1h', '1d', 's', '5m5m', '1e3', '０', '9999999999'])(
    'rejects %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )
})

describe('parseSize', () => {
  it.each([
    ['1000', 1000],
    ['12B', 12],
    ['1KB', 1000],
    ['1 KB', 1000],
    ['500MB', 500_000_000],
    ['500mb', 500_000_000],
    ['1GB', 1_000_000_000],
    ['1.5GB', 1_500_000_000],
    ['4KiB', 4096],
    ['64MiB', 67_108_864],
    ['1GiB', 1_073_741_824],
    ['0.0000001', undefined],
    ['1.0005KB', 1000],
  ])('reads %s as %s bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each(['', 'MB', '1TB', '-1', '1,5MB', '1e6', '.5MB', '1M', '1Gi', 'NaN', 'Infinity', '1 000'])(
    'rejects %j',
    (text) => {
      expect(parseSize(text)).toBeUndefined()
    },
  )
})

describe('parseCount', () => {
  it('accepts only digits', () => {
    expect(parseCount('0')).toBe(0)
    expect(parseCount('2147483648')).toBe(2147483648)
    for (const text of ['', '1.0', '-1', '+1', '0x10', ' 1', '1_000', '1'.repeat(16)]) {
      expect(parseCount(text)).toBeUndefined()
    }
  })
})

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 KB'],
    [1536, '1.54 KB'],
    [99_900, '99.9 KB'],
    [123_456, '123 KB'],
    [1_500_000, '1.50 MB'],
    [1e9, '1.00 GB'],
    [2.5e12, '2500 GB'],
  ])('formats %d as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })

  it('uses the next unit instead of 1000 of a smaller unit', () => {
    for (const bytes of [999, 9_995, 99_949, 99_999, 999_499, 9_999_999, 999_499_999]) {
      const [value] = formatSize(bytes).split(' ')
      expect(value).not.toMatch(/e|^1000$/)
    }
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [12.44, '12.4s'],
    [59, '59s'],
    [60, '1m'],
    [303, '5m 3s'],
    [5400, '1h 30m'],
    [3600, '1h'],
    [21_600, '6h'],
  ])('formats %d s as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })
})
