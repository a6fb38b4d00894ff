import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'

/**
 * The certificates in a text, as PEM; undefined where it contains no certificate. Line breaks that a secret store replaced by spaces, or by
 * the two characters \n, are restored. An invalid certificate beside a valid one is left out, as in Go. `problem`: what the text contains
 * instead of a valid certificate.
 */
export function readAuthorities(text: string): { pem: string } | { problem: string } | undefined {
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)]
  if (blocks.length === 0) {
    return text.includes('-----BEGIN CERTIFICATE') ? { problem: 'a certificate without its END line' } : undefined
  }
  const certificates: string[] = []
  for (const [, body = ''] of blocks) {
    try {
      certificates.push(new X509Certificate(Buffer.from(body.replace(/\\[nr]|\s/g, ''), 'base64')).toString())
    } catch {
      // A bundle may have an entry that no library reads.
    }
  }
  if (certificates.length === 0) return { problem: 'an invalid certificate between its BEGIN and END lines' }
  return { pem: certificates.join('') }
}

/** What is wrong with a client certificate and its key (PEM), an object of "has"; undefined where they match. */
export function pairProblem(certificate: string | Buffer, key: string | Buffer): string | undefined {
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(certificate)
  } catch {
    return 'an invalid client certificate (it must be PEM)'
  }
  try {
    return parsed.checkPrivateKey(readPrivateKey(key))
      ? undefined
      : 'a client certificate and a key that do not belong together'
  } catch {
    return 'an invalid client key (it must be PEM without a passphrase)'
  }
}

/** A private key as PEM that OpenSSL reads. @throws the error of node:crypto where it is no private key, or has a passphrase */
export function usableKey(key: string | Buffer): string | Buffer {
  try {
    createPrivateKey(key)
    return key
  } catch {
    return readPrivateKey(key).export({ type: 'pkcs8', format: 'pem' })
  }
}

const keyForms = ['pkcs8', 'pkcs1', 'sec1'] as const

/** Go tries each form of a key whatever its label says; OpenSSL goes by the label, and refuses PKCS#1 that is labelled PRIVATE KEY. */
function readPrivateKey(key: string | Buffer): KeyObject {
  const block = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----([\s\S]*?)-----END \1-----/.exec(key.toString())
  const der = Buffer.from(block?.[2] ?? '', 'base64')
  for (const type of keyForms) {
    try {
      return createPrivateKey({ key: der, format: 'der', type })
    } catch {
      // another form
    }
  }
  return createPrivateKey(key)
}
