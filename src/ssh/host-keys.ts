import { createHash } from 'node:crypto'
import type { ServerHostKeyAlgorithm } from 'ssh2'
import { HostKeyError, type SshAdvice } from './errors.ts'

/** The signature algorithms for a type of key, in the order of preference; none with SHA-1. */
const algorithmsByType = new Map<string, readonly ServerHostKeyAlgorithm[]>([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
])

/** The host keys that a session accepts: those known beforehand, and after the first login only the one that the server proved. */
export class HostKeys {
  readonly #lines: readonly string[]
  readonly #advice: SshAdvice
  #accepted: readonly Buffer[]
  #proven: Buffer | undefined

  /** @param lines `ssh-ed25519 AAAA…`; []: the first key that is seen is accepted, and pinned for the session */
  constructor(lines: readonly string[], advice: SshAdvice) {
    this.#lines = lines
    this.#advice = advice
    this.#accepted = lines.map(parseHostKey).filter((key) => algorithmsByType.has(typeOf(key)))
  }

  /** The key of the server as `TYPE BASE64`; undefined until the first login. */
  get proven(): string | undefined {
    return this.#proven && `${typeOf(this.#proven)} ${this.#proven.toString('base64')}`
  }

  /** Only what the accepted keys can sign: otherwise sshd may show one of its other keys. */
  get algorithms(): ServerHostKeyAlgorithm[] {
    const types = new Set(this.#accepted.map(typeOf))
    return [...algorithmsByType].flatMap(([type, names]) => (types.size === 0 || types.has(type) ? names : []))
  }

  accepts(key: Buffer): boolean {
    return this.#accepted.length === 0 || this.#accepted.some((one) => one.equals(key))
  }

  /** From now on only this key is accepted. To be called after the login: only then has the server proven that the key is its own. */
  pin(key: Buffer): void {
    this.#accepted = [key]
    this.#proven = key
  }

  /** @throws HostKeyError where host keys are known, and none has a supported type */
  requireSupported(): void {
    if (this.#lines.length === 0 || this.#accepted.length > 0) return
    const types = this.#lines.map((line) => line.split(' ')[0]?.slice(0, 40)).join(', ')
    const { input, hostKeySource, fixes } = this.#advice
    throw new HostKeyError({
      code: 'E_SSH_HOST_KEYS_UNSUPPORTED',
      input,
      problem: `none of the node's host keys in ${hostKeySource} can be used (${types}); supported are ${[...algorithmsByType.keys()].join(', ')}`,
      fix: fixes.hostKeysUnsupported,
    })
  }

  /** @param shown the key of the server; undefined where it has none of the accepted types */
  mismatch(shown: Buffer | undefined): HostKeyError {
    const known = this.#accepted.map(describeKey).join(', ')
    const seen = shown === undefined ? 'of another type' : describeKey(shown)
    const { input, hostKeySource, fixes } = this.#advice
    if (this.#proven) {
      return new HostKeyError({
        code: 'E_SSH_HOST_KEY_CHANGED',
        input,
        problem: `the node's host key changed during the run, so another machine may answer in its place: it is ${seen}, it was ${known}. No data was sent to it`,
        fix: fixes.hostKeyChanged,
      })
    }
    return new HostKeyError({
      code: 'E_SSH_HOST_KEY_MISMATCH',
      input,
      problem: `the node's host key is ${seen}, ${hostKeySource} list ${known}. No data was sent to it`,
      fix: fixes.hostKeyUnknown,
    })
  }
}

/** The key of `TYPE BASE64 …` in its wire format; empty where the line has none. */
function parseHostKey(line: string): Buffer {
  const [type = '', base64 = ''] = line.trim().split(/\s+/)
  const key = Buffer.from(base64, 'base64')
  return typeOf(key) === type ? key : Buffer.alloc(0)
}

/** A key begins with the name of its type: RFC 4253, section 6.6. */
function typeOf(key: Buffer): string {
  return key.length < 4 ? '' : key.subarray(4, 4 + Math.min(key.readUInt32BE(0), 64)).toString('latin1')
}

/** The type and the fingerprint, as ssh and gcloud show it. */
function describeKey(key: Buffer): string {
  return `${typeOf(key)} SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}
