import { createPrivateKey, X509Certificate } from 'node:crypto'

/**
 * The certificates in a text, as PEM; undefined where there is no sign of one. Line breaks that a secret store has turned into blanks, or
 * into the two characters \n, are put right. `problem`: there is a certificate that cannot be read.
 */
export function readAuthorities(text: string): { pem: string } | { problem: string } | undefined {
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)]
  if (blocks.length === 0) {
    return text.includes('-----BEGIN CERTIFICATE') ? { problem: 'a certificate without its end' } : undefined
  }
  const certificates: string[] = []
  for (const [, body = ''] of blocks) {
    try {
      certificates.push(new X509Certificate(Buffer.from(body.replace(/\\[nr]|\s/g, ''), 'base64')).toString())
    } catch {
      return { problem: 'something between its BEGIN and END lines that is no certificate' }
    }
  }
  return { pem: certificates.join('') }
}

/** What is wrong with a client certificate and its key (PEM); undefined: they belong together. */
export function pairProblem(certificate: string | Buffer, key: string | Buffer): string | undefined {
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(certificate)
  } catch {
    return 'a client certificate that is none (it must be PEM)'
  }
  try {
    if (!parsed.checkPrivateKey(createPrivateKey(key)))
      return 'a client certificate and a key that do not belong together'
  } catch {
    return 'a client key that is none (it must be PEM, without a passphrase)'
  }
  return undefined
}
