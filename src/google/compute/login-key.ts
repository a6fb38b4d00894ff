import { generateKeyPairSync, randomBytes } from 'node:crypto'

/** A key pair of one run. The private key is in memory only. */
export interface LoginKey {
  /** OpenSSH PEM */
  readonly privateKey: string
  /** `ssh-ed25519 AAAA…`, without a comment */
  readonly publicKey: string
}

/**
 * An ed25519 key pair in OpenSSH's format (PROTOCOL.key of openssh-portable), which Node's crypto does not write.
 * The generator of ssh2 is not used: it removes leading zero bytes of the public key, so that one pair of 256 is invalid.
 */
export function generateLoginKey(): LoginKey {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const type = field('ssh-ed25519')
  const publicKey = Buffer.from(x, 'base64url')
  const publicBlob = Buffer.concat([type, field(publicKey)])
  const check = randomBytes(4)
  const halves = Buffer.concat([Buffer.from(d, 'base64url'), publicKey])
  const secret = Buffer.concat([check, check, type, field(publicKey), field(halves), field('')])
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, -secret.length & 7)
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[field('none'), field('none'), field('')], // no cipher, no key derivation, no options of it
    ...[length(1), field(publicBlob), field(Buffer.concat([secret, padding]))],
  ])
  const lines = body.toString('base64').match(/.{1,70}/g) ?? []
  return {
    privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    publicKey: `ssh-ed25519 ${publicBlob.toString('base64')}`,
  }
}

/** The bytes after their length. */
function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([length(bytes.length), bytes])
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
