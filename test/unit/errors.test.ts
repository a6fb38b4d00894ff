import { ConfigurationError, messageOf } from '../../src/errors.ts'

it('says what any thrown value says, without a class name', () => {
  expect(messageOf(new Error('the disk is full'))).toBe('the disk is full')
  expect(messageOf(new ConfigurationError('pod: it is gone'))).toBe('pod: it is gone')
  expect(messageOf('just text')).toBe('just text')
  expect(messageOf(undefined)).toBe('undefined')
  expect(messageOf(new TypeError())).toBe('TypeError')
})

it('says the first cause of several, as Node gives them for a name with several addresses', () => {
  const both = new AggregateError([new Error('connect ECONNREFUSED ::1:6443'), new Error('other')], '')
  expect(messageOf(both)).toBe('connect ECONNREFUSED ::1:6443')
  expect(messageOf(new AggregateError([], 'none'))).toBe('none')
})
