import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { readRefusal } from '../../../src/common/upgrade-refusal.ts'

const response = (): PassThrough & IncomingMessage => new PassThrough() as PassThrough & IncomingMessage

it('returns the whole body of a response that ends', async () => {
  const body = response()
  body.end('pods "web-1" is forbidden')
  expect(await readRefusal(body, 5_000, 1_000)).toBe('pods "web-1" is forbidden')
})

it('returns the text that has arrived where the response does not end in time', async () => {
  const body = response()
  body.write('slow')
  expect(await readRefusal(body, 20, 1_000)).toBe('slow')
  expect(body.destroyed).toBe(true)
})

it('stops after the chunk that exceeds the limit', async () => {
  const body = response()
  body.write('a'.repeat(11))
  expect(await readRefusal(body, 5_000, 10)).toBe('a'.repeat(11))
  expect(body.destroyed).toBe(true)
})
