import { createPublicKey, generateKeyPairSync, randomUUID, sign, verify, type KeyObject } from 'node:crypto'

export type Claims = Record<string, unknown>

/** The key that signs GitHub's tokens, and its public half as a JSON Web Key Set. */
export interface SigningKey {
  readonly id: string
  readonly private: KeyObject
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] }
}

let signingKey: SigningKey | undefined

/** One key for every issuer of a process: a pair of RSA keys takes 0.2 s. */
export const sharedSigningKey = (): SigningKey => (signingKey ??= createSigningKey())

function createSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const id = randomUUID()
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' })
  return { id, private: privateKey, jwks: { keys: [{ ...jwk, kid: id, use: 'sig', alg: 'RS256' }] } }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export function signJwt(key: SigningKey, claims: Claims): string {
  const content = `${encode({ typ: 'JWT', alg: 'RS256', kid: key.id })}.${encode(claims)}`
  return `${content}.${sign('sha256', Buffer.from(content), key.private).toString('base64url')}`
}

/** The claims of a token that the key has signed, not validated; undefined for any other token. */
export function verifyJwt(key: SigningKey, token: string): Claims | undefined {
  const [, head, body, signature] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? []
  if (head === undefined || body === undefined || signature === undefined) return undefined
  const { alg, kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg?: unknown; kid?: unknown }
  if (alg !== 'RS256' || kid !== key.id) return undefined
  const content = Buffer.from(`${head}.${body}`)
  if (!verify('sha256', content, createPublicKey(key.private), Buffer.from(signature, 'base64url'))) return undefined
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
}
