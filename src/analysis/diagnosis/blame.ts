import type { Evidence, Finding, FindingId } from '../findings/finding.ts'
import type { LocalSide } from '../sides/local-side.ts'

/**
 * Who causes it: the network; name resolution; the application on the other side; the application on this side; TLS; a rule that drops or refuses;
 * none of them.
 */
export type Culprit = 'network' | 'dns' | 'peer' | 'self' | 'tls' | 'policy' | 'none'

export type Sureness = 'high' | 'medium' | 'low'

export interface Blame {
  readonly culprit: Culprit
  readonly sureness: Sureness
  /** why it is as sure as that, a clause */
  readonly because: string
  /** which end of the connections is this side is not known, and the client was taken for it */
  readonly isSideAssumed: boolean
}

/** The client of a connection or its server. */
type Side = 'client' | 'server'

interface Rule {
  readonly culprit: Culprit | Side
  readonly sureness: Sureness
  readonly because: string
}

const dnsPort = 53

const rules: Readonly<Record<FindingId, Rule>> = {
  'connection-no-answer': {
    culprit: 'policy',
    sureness: 'medium',
    because: 'a rule that drops packets, a missing route and a dead node look the same from here',
  },
  'connection-refused': {
    culprit: 'server',
    sureness: 'high',
    because: 'the server’s address answers, and refuses the connection',
  },
  'connection-not-accepted': {
    culprit: 'server',
    sureness: 'medium',
    because: 'other connections to the same port were opened; loss of these packets would look the same',
  },
  'connection-half-open': {
    culprit: 'network',
    sureness: 'medium',
    because: 'the server answered, and the client’s part of the handshake is missing',
  },
  'connection-reset': {
    culprit: 'server',
    sureness: 'medium',
    because: 'a reset carries the address of an end, but a proxy or firewall in between can send it, too',
  },
  'connection-reset-after-idle': {
    culprit: 'network',
    sureness: 'medium',
    because: 'a forgotten connection in between looks like this; an idle time-out of the server does, too',
  },
  'data-resent': { culprit: 'network', sureness: 'high', because: 'the same bytes were sent again' },
  'data-late': {
    culprit: 'network',
    sureness: 'medium',
    because: 'the data was lost or reordered before this point, and which of both is not known',
  },
  'peer-vanished': {
    culprit: 'network',
    sureness: 'medium',
    because: 'the acknowledgments stopped; an end that is gone looks the same as a path that is broken',
  },
  'path-mtu-black-hole': {
    culprit: 'network',
    sureness: 'high',
    because: 'large segments are never acknowledged, and smaller ones after them are',
  },
  'receiver-stalled': { culprit: 'server', sureness: 'high', because: 'the receiver itself announced a window of 0' },
  'dns-unanswered': {
    culprit: 'dns',
    sureness: 'high',
    because: 'queries are in the capture, and their answers are not',
  },
  'dns-failed': { culprit: 'dns', sureness: 'high', because: 'the error is in the DNS server’s own answers' },
  'dns-name-missing': {
    culprit: 'dns',
    sureness: 'medium',
    because: 'the DNS server works; whether the names should exist is not known',
  },
  'dns-slow': { culprit: 'dns', sureness: 'high', because: 'the time from query to answer was measured' },
  'dns-truncated': {
    culprit: 'dns',
    sureness: 'low',
    because: 'queries over TCP may be missing because of the filter of the capture',
  },
  'dns-search-list': { culprit: 'dns', sureness: 'high', because: 'the queries and their answers are in the capture' },
  'dns-race': {
    culprit: 'dns',
    sureness: 'medium',
    because: 'loss of single packets would look the same',
  },
  'tls-alert': { culprit: 'tls', sureness: 'high', because: 'the alert says it' },
  'tls-to-plain-server': { culprit: 'tls', sureness: 'high', because: 'both protocols are in the capture' },
  'plain-to-tls-server': { culprit: 'tls', sureness: 'high', because: 'both protocols are in the capture' },
  'tls-closed': {
    culprit: 'tls',
    sureness: 'medium',
    because: 'the connection ended without an alert that would say why',
  },
  'certificate-expired': { culprit: 'tls', sureness: 'high', because: 'the certificate is in the capture' },
  'certificate-not-yet-valid': { culprit: 'tls', sureness: 'high', because: 'the certificate is in the capture' },
  'certificate-expires-soon': { culprit: 'tls', sureness: 'high', because: 'the certificate is in the capture' },
  'http-server-errors': { culprit: 'server', sureness: 'high', because: 'the status is in the server’s own answers' },
  'http-client-errors': {
    culprit: 'client',
    sureness: 'medium',
    because: 'the server refuses the requests; whether they are right is not known',
  },
  'http-unanswered': {
    culprit: 'server',
    sureness: 'medium',
    because: 'the requests are in the capture, and no answer came',
  },
  'http-slow': { culprit: 'server', sureness: 'high', because: 'the time from request to answer was measured' },
  'grpc-errors': { culprit: 'server', sureness: 'high', because: 'the status is in the server’s own answers' },
  'icmp-rejected': { culprit: 'server', sureness: 'high', because: 'the ICMP message says it' },
  'address-missing': {
    culprit: 'server',
    sureness: 'medium',
    because: 'no host on the link answers for the address: the pod is gone, or its interface is broken',
  },
}

/** `side`: which addresses are those of the captured pod or node. */
export function blame(finding: Finding, side: LocalSide): Blame {
  const { culprit, sureness, because } = ruleOf(finding)
  if (culprit !== 'client' && culprit !== 'server') return { culprit, sureness, because, isSideAssumed: false }
  const serverIsLocal = isServerLocal(finding, side)
  const isLocal = culprit === 'server' ? serverIsLocal : isClientLocal(finding, side, serverIsLocal)
  const assumed = culprit === 'client'
  return {
    culprit: (isLocal ?? assumed) ? 'self' : 'peer',
    sureness,
    because,
    isSideAssumed: isLocal === undefined,
  }
}

/** Where a finding of one kind has several causes, its facts tell which. */
const special: Partial<Readonly<Record<FindingId, (finding: Finding) => Partial<Rule>>>> = {
  'connection-no-answer': ({ facts }) =>
    facts['address_answers'] === 'yes'
      ? { sureness: 'high', because: 'the same address answers on other connections, and not on these' }
      : {},
  'connection-reset': ({ facts }) => resetRule(String(facts['by'])),
  'receiver-stalled': ({ facts }) => (facts['who'] === 'client' ? { culprit: 'client' } : {}),
  'icmp-rejected': ({ facts }) => ({ culprit: rejectionCulprit(String(facts['rejection'])) }),
  'grpc-errors': ({ severity }) => (severity === 'error' ? {} : { culprit: 'client', sureness: 'medium' }),
  'data-resent': ({ count }) => (count >= 10 ? {} : { sureness: 'medium', because: 'few segments were sent again' }),
}

function ruleOf(finding: Finding): Rule {
  const rule = { ...rules[finding.id], ...special[finding.id]?.(finding) }
  return areConnectionsToDns(finding) ? { ...rule, culprit: 'dns' } : rule
}

/** An error of reaching the DNS server is one of name resolution; the late answer that a client no longer waits for, too. */
function areConnectionsToDns({ id, evidence }: Finding): boolean {
  const isReachability = id.startsWith('connection-') || id === 'icmp-rejected' || id === 'peer-vanished'
  return isReachability && evidence.every(({ client, server }) => server.port === dnsPort || client.port === dnsPort)
}

function resetRule(by: string): Partial<Rule> {
  if (by.startsWith('client')) return { culprit: 'client' }
  return by.startsWith('server') ? {} : { sureness: 'low', because: 'who opened the connection was not captured' }
}

function rejectionCulprit(rejection: string): Rule['culprit'] {
  if (rejection === 'policy') return 'policy'
  return rejection === 'route' ? 'network' : 'server'
}

/** Undefined: it is not known. */
function isServerLocal({ id, evidence }: Finding, side: LocalSide): boolean | undefined {
  const ends = evidence[0]
  // A host answers for its own addresses.
  if (id === 'address-missing') return false
  if (ends === undefined) return undefined
  return areLocal(serversOf(ends), side) ?? (side.has(ends.client.address) === true ? false : undefined)
}

/** The connections of one side are those of its clients, where their servers are on neither side. */
function isClientLocal(
  { evidence }: Finding,
  side: LocalSide,
  serverIsLocal: boolean | undefined,
): boolean | undefined {
  const ends = evidence[0]
  if (ends === undefined) return undefined
  const isLocal = side.has(ends.client.address)
  if (isLocal === true) return true
  return serverIsLocal === undefined ? undefined : !serverIsLocal
}

function serversOf({ server, backend }: Evidence): readonly string[] {
  return backend === undefined ? [server.address] : [server.address, backend.address]
}

function areLocal(addresses: readonly string[], side: LocalSide): boolean | undefined {
  const known = addresses.map((address) => side.has(address))
  return known.includes(true) ? true : known.includes(undefined) ? undefined : false
}
