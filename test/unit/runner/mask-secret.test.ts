import { jest } from '@jest/globals'
import { maskSecret } from '../../../src/runner/mask-secret.ts'

it('masks a secret and its base64 once, and ignores an empty secret', () => {
  const written: string[] = []
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  try {
    for (const secret of ['s3cret', 's3cret', '']) maskSecret(secret)
  } finally {
    write.mockRestore()
  }
  expect(written.join('').trim().split('\n')).toEqual(['::add-mask::s3cret', '::add-mask::czNjcmV0'])
})
