export interface Certificate {
  /** PEM */
  readonly private: string
  /** PEM */
  readonly cert: string
}

type Subject = 'address' | 'localhost'

/** A server on loopback is never reached through a proxy. A proxy of a test sends these on to loopback; the certificates are valid for them, too. */
export const proxiedHosts = { address: '192.0.2.10', localhost: 'api.example' } as const

const made = new Map<string, Promise<Certificate>>()

/**
 * A self-signed certificate for the address 127.0.0.1, for the name `localhost`, or for both. A process creates one for each `name` and
 * caches it, because creation takes longer than most tests. Servers whose certificates must differ have different names.
 */
export function loopbackCertificate(
  name: string,
  subjects: readonly Subject[] = ['address', 'localhost'],
): Promise<Certificate> {
  const key = [name, ...subjects].join(' ')
  const certificate = made.get(key) ?? makeCertificate(name, subjects)
  made.set(key, certificate)
  return certificate
}

async function makeCertificate(name: string, subjects: readonly Subject[]): Promise<Certificate> {
  const { generate } = await import('selfsigned') // takes 0.2 s to load, and most tests use no TLS
  const altNames = {
    address: ['127.0.0.1', proxiedHosts.address].map((ip) => ({ type: 7 as const, ip })),
    localhost: ['localhost', proxiedHosts.localhost].map((value) => ({ type: 2 as const, value })),
  }
  return generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - 3_600_000),
    notAfterDate: new Date(Date.now() + 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: subjects.flatMap<(typeof altNames)[Subject][number]>((subject) => altNames[subject]),
      },
    ],
  })
}

/** Certificates (PEM) of a server whose authority is not a root. */
export interface Chain {
  readonly root: string
  readonly intermediate: string
  readonly server: Certificate
}

/** `host`: the name for which the server's certificate is valid. */
export async function makeChain(host: string): Promise<Chain> {
  const root = await makeAuthority('root')
  const intermediate = await makeAuthority('intermediate', root)
  return { root: root.cert, intermediate: intermediate.cert, server: await makeServer(host, intermediate, true) }
}

/** A self-signed certificate with the host as its common name alone, as they were made before subject alternative names. */
export function makeNamelessCertificate(host: string): Promise<Certificate> {
  return makeServer(host, undefined, false)
}

async function makeAuthority(name: string, issuer?: Certificate): Promise<Certificate> {
  const { generate } = await import('selfsigned')
  return generate([{ name: 'commonName', value: name }], {
    ...{ keyType: 'ec', algorithm: 'sha256' }, // Go refuses SHA-1, the default of the library
    ...issuedBy(issuer),
    extensions: [{ name: 'basicConstraints', cA: true }],
  })
}

async function makeServer(host: string, issuer: Certificate | undefined, hasName: boolean): Promise<Certificate> {
  const { generate } = await import('selfsigned')
  return generate([{ name: 'commonName', value: host }], {
    ...{ keyType: 'ec', algorithm: 'sha256' },
    ...issuedBy(issuer),
    extensions: [
      { name: 'basicConstraints', cA: false },
      ...(hasName ? [{ name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: host }] }] : []),
    ],
  })
}

function issuedBy(issuer: Certificate | undefined): { ca?: { key: string; cert: string } } {
  return issuer === undefined ? {} : { ca: { key: issuer.private, cert: issuer.cert } }
}
