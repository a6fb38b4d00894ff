import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { generateLoginKey, type LoginKey } from '../../../../src/google/compute/login-key.ts'
import { itWith, needsProgram } from '../../../support/needs.ts'

/** Checks that the two keys match and that ssh2 accepts them. */
function check({ privateKey, publicKey }: LoginKey): void {
  const parsed = ssh2.utils.parseKey(privateKey)
  if (parsed instanceof Error) throw parsed
  expect(parsed.getPublicSSH().toString('base64')).toBe(publicKey.split(' ')[1])
  const signature = parsed.sign('x')
  expect(parsed.verify('x', signature)).toBe(true)
  expect(parsed.verify('y', signature)).toBe(false)
}

describe('a key pair', () => {
  it('is different each time', () => {
    const [one, other] = [generateLoginKey(), generateLoginKey()]
    expect(one.publicKey).not.toBe(other.publicKey)
    expect(one.privateKey).not.toBe(other.privateKey)
  })

  it('matches for each first byte of the public key', () => {
    // One public key in 256 starts with a zero byte, after AAAA…IA.
    const pairs = Array.from({ length: 4_000 }, generateLoginKey)
    for (const { publicKey } of pairs)
      expect(publicKey).toMatch(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42}$/)
    const zeros = pairs.filter(({ publicKey }) => /AAAAI(A[A-D])/.test(publicKey))
    expect(zeros.length).toBeGreaterThan(0)
    for (const pair of [...zeros, ...pairs.slice(0, 20)]) check(pair)
  })

  itWith(needsProgram('ssh-keygen'), 'is one to OpenSSH', () => {
    const folder = mkdtempSync(join(tmpdir(), 'key-'))
    try {
      const { privateKey, publicKey } = generateLoginKey()
      writeFileSync(join(folder, 'key'), privateKey, { mode: 0o600 })
      const { stdout } = spawnSync('ssh-keygen', ['-y', '-f', join(folder, 'key')])
      expect(stdout.toString().trim()).toBe(publicKey)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
