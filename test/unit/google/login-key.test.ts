import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { generateLoginKey, type LoginKey } from '../../../src/google/login-key.ts'

/** The two halves belong together, and ssh2 takes them. */
function check({ privateKey, publicKey }: LoginKey): void {
  const parsed = ssh2.utils.parseKey(privateKey)
  if (parsed instanceof Error) throw parsed
  expect(parsed.getPublicSSH().toString('base64')).toBe(publicKey.split(' ')[1])
  const signature = parsed.sign('x')
  expect(parsed.verify('x', signature)).toBe(true)
  expect(parsed.verify('y', signature)).toBe(false)
}

describe('a key pair', () => {
  it('is another each time', () => {
    const [one, other] = [generateLoginKey(), generateLoginKey()]
    expect(one.publicKey).not.toBe(other.publicKey)
    expect(one.privateKey).not.toBe(other.privateKey)
  })

  it('fits together, whatever its first byte is', () => {
    // One of 256 begins with a zero, the byte after AAAA…IA.
    const pairs = Array.from({ length: 4_000 }, generateLoginKey)
    for (const { publicKey } of pairs)
      expect(publicKey).toMatch(/^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42}$/)
    const zeros = pairs.filter(({ publicKey }) => /AAAAI(A[A-D])/.test(publicKey))
    expect(zeros.length).toBeGreaterThan(0)
    for (const pair of [...zeros, ...pairs.slice(0, 20)]) check(pair)
  })

  const missing = spawnSync('ssh-keygen', ['-?']).error !== undefined
  const present = missing ? it.skip : it
  present(`is one to OpenSSH${missing ? ' SKIPPED: ssh-keygen not in PATH' : ''}`, () => {
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
