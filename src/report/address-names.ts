import type { Endpoint } from '../analysis/decoded-packet.ts'
import type { CaptureDetails } from '../analysis/details/capture-details.ts'
import type { Diagnosis } from '../analysis/diagnosis.ts'

/** A name for an address: of a pod, a service or a node. */
export type AddressNames = ReadonlyMap<string, string>

/** More are not shown. */
const maxPeersCount = 100

/** Every address that the diagnosis names, at most some thousand. */
export function addressesIn({ findings, servers, details }: Diagnosis): ReadonlySet<string> {
  const ends = findings.flatMap(({ evidence }) =>
    evidence.flatMap(({ client, server, backend = server }) => [client, server, backend]),
  )
  const peers = details.peers.slice(0, maxPeersCount)
  return new Set([
    ...[...ends, ...servers.map(({ server }) => server), ...peers.map(({ server }) => server)].map(
      ({ address }) => address,
    ),
    ...peers.map(({ client }) => client),
  ])
}

/** The diagnosis with names in place of addresses in its sentences. Display filters, and the ends in its tables and evidence, keep the addresses. */
export function withNames(diagnosis: Diagnosis, names: AddressNames): Diagnosis {
  const pattern = patternOf(names)
  if (pattern === undefined) return diagnosis
  const named = (value: string): string =>
    value.replace(pattern, (match) => names.get(match.replace(/^\[|\]$/g, '')) ?? match)
  const namedText = <T extends { readonly text: string }>(one: T): T => ({ ...one, text: named(one.text) })
  const { details } = diagnosis
  const { worst } = details
  return {
    ...diagnosis,
    details: worst === undefined ? details : { ...details, worst: { ...worst, title: named(worst.title) } },
    sentence: named(diagnosis.sentence),
    detail: named(diagnosis.detail),
    because: named(diagnosis.because),
    findings: diagnosis.findings.map((finding) => ({
      ...finding,
      title: named(finding.title),
      likelyCauses: finding.likelyCauses.map(named),
      nextSteps: finding.nextSteps.map(named),
    })),
    withheld: diagnosis.withheld.map(namedText),
    clean: diagnosis.clean.map(namedText),
    limits: diagnosis.limits.map(namedText),
  }
}

/** The diagnosis for a reader, with names in place of addresses also in the ends of the evidence, in the tables and in the diagram. */
export function withNamedEnds(diagnosis: Diagnosis, names: AddressNames): Diagnosis {
  const named = ({ address, port }: Endpoint): Endpoint => ({ address: names.get(address) ?? address, port })
  return {
    ...diagnosis,
    servers: diagnosis.servers.map((times) => ({ ...times, server: named(times.server) })),
    details: detailsWithNamedEnds(diagnosis.details, named),
    findings: diagnosis.findings.map((finding) => ({
      ...finding,
      evidence: finding.evidence.map((one) => ({
        ...one,
        client: named(one.client),
        server: named(one.server),
        backend: one.backend && named(one.backend),
      })),
    })),
  }
}

function detailsWithNamedEnds(details: CaptureDetails, named: (end: Endpoint) => Endpoint): CaptureDetails {
  const namedServer = <T extends { readonly server: Endpoint }>(row: T): T => ({ ...row, server: named(row.server) })
  const { peers, dns, tls, http, worst } = details
  return {
    ...details,
    peers: peers.map((peer) => ({ ...namedServer(peer), client: named({ address: peer.client, port: 0 }).address })),
    dns: { ...dns, servers: dns.servers.map(namedServer) },
    tls: { ...tls, failures: tls.failures.map(namedServer), certificates: tls.certificates.map(namedServer) },
    http: { ...http, servers: http.servers.map(namedServer) },
    worst: worst && { ...namedServer(worst), client: named(worst.client) },
  }
}

/** Whole addresses: 10.0.0.1 is no part of 10.0.0.12 or of 110.0.0.1. IPv6 is in brackets where a port follows. */
function patternOf(names: AddressNames): RegExp | undefined {
  const addresses = [...names.keys()].filter((address) => /^[\d.]+$|^[\da-f:.]+$/i.test(address))
  if (addresses.length === 0) return undefined
  const forms = addresses.map((address) => {
    const escaped = address.replaceAll('.', String.raw`\.`)
    return address.includes(':')
      ? String.raw`\[${escaped}\]|(?<![\w:.])${escaped}(?![\w:.])`
      : String.raw`(?<![\w.])${escaped}(?![\d]|\.\d)`
  })
  return new RegExp(forms.join('|'), 'g')
}
