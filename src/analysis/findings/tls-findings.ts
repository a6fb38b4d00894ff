import type { SeenCertificate, TlsFailure, TlsFailureReason } from '../application/tls-connections.ts'
import { alertMeaning, versionName } from '../application/tls-names.ts'
import type { TlsTracker } from '../application/tls-tracker.ts'
import { type CaptureClock, evidenceOf } from './evidence.ts'
import type { Finding } from './finding.ts'
import { backendsText, counted, serverFilter, serverText } from './wording.ts'

/** A certificate that ends sooner than this after the capture is worth a finding. */
const soonSeconds = 7 * 86_400

type Text = Pick<Finding, 'id' | 'title' | 'displayFilter' | 'likelyCauses' | 'nextSteps'>

/** F12: handshakes that failed, and certificates that are out of date or will be within a week. */
export function tlsFindings({ connections }: TlsTracker, clock: CaptureClock): Finding[] {
  return [
    ...connections.failures().map((failure) => failureFinding(failure, clock)),
    ...connections.certificates().flatMap((seen) => certificateFinding(seen, clock)),
  ]
}

function failureFinding(failure: TlsFailure, clock: CaptureClock): Finding {
  const { count, ends, reason, serverName } = failure
  return {
    ...failureText(failure),
    severity: 'error',
    count,
    evidence: [evidenceOf(failure, ends, clock)],
    facts: {
      reason: reason.kind,
      ...(reason.kind === 'alert' ? { alert: reason.alert, sender: reason.sender } : {}),
      ...(serverName === undefined ? {} : { server_name: serverName }),
    },
  }
}

function failureText(failure: TlsFailure): Text {
  const { reason } = failure
  switch (reason.kind) {
    case 'alert':
      return alertText(failure, reason)
    case 'closed':
      return closedText(failure, reason)
    case 'foreign answer':
      return {
        id: 'tls-to-plain-server',
        title: `${nameOf(failure)} does not speak TLS on this port: it answered ${counted(failure.count, 'TLS handshake')} with ${reason.protocol}`,
        displayFilter: `${serverFilter(failure.ends.server)} && tcp.len > 0`,
        likelyCauses: [
          'The client uses https, and the port serves http',
          'The service sends TLS to the port for clear text (targetPort)',
          'The server has no sidecar that ends TLS',
        ],
        nextSteps: [
          'The scheme and the port in the configuration of the client',
          'kubectl get service -o yaml: port and targetPort',
          'DestinationRule and PeerAuthentication, with Istio',
        ],
      }
    case 'foreign request':
      return {
        id: 'plain-to-tls-server',
        title: `${nameOf(failure)} expects TLS on this port, and ${counted(failure.count, 'connection')} sent ${reason.protocol} in clear text`,
        displayFilter: `${serverFilter(failure.ends.server)} && tcp.len > 0`,
        likelyCauses: [
          'The client uses http, and the port serves https',
          'A probe or an ingress uses the wrong scheme',
          'mTLS is strict, and the client has no sidecar',
        ],
        nextSteps: [
          'The scheme and the port in the configuration of the client',
          'httpGet.scheme of the probes',
          'The annotation backend-protocol of the ingress',
        ],
      }
  }
}

function alertText(failure: TlsFailure, reason: Extract<TlsFailureReason, { kind: 'alert' }>): Text {
  const { alert, sender } = reason
  const meaning = alertMeaning(alert)
  const who = sender === 'unknown' ? 'one side' : `the ${sender}`
  const offered = failure.example.offeredVersions.map(versionName).join(', ')
  const details = [meaning, alert === 'protocol_version' && offered !== '' ? `offered: ${offered}` : undefined]
  const text = details.filter((detail) => detail !== undefined).join('; ')
  return {
    id: 'tls-alert',
    title: `${counted(failure.count, 'TLS handshake')} with ${nameOf(failure)} failed: ${who} sent the alert ${alert}${text === '' ? '' : ` (${text})`}`,
    displayFilter: `tls.alert_message && ${serverFilter(failure.ends.server)}`,
    likelyCauses: alertCauses(alert, sender),
    nextSteps:
      sender === 'client'
        ? [
            'The certificate of the server: openssl s_client -connect HOST:PORT -servername NAME',
            'The CA bundle of the client',
            'kubectl get certificate, with cert-manager',
          ]
        : [
            'The client certificate and its Secret',
            'The TLS settings of the server: versions, ciphers and client CA',
            'PeerAuthentication, with Istio',
          ],
  }
}

function alertCauses(alert: string, sender: string): string[] {
  switch (alert) {
    case 'certificate_expired':
      return ['A certificate was not renewed, or the pod still uses the old one', 'The clock of a node is wrong']
    case 'protocol_version':
      return ['An old client or an old server: there is no version of TLS that both speak']
    case 'unrecognized_name':
      return ['The server has no certificate or route for this name']
    case 'certificate_required':
      return ['The server requires a client certificate (mTLS), and the client has none']
    case 'no_application_protocol':
      return ['The server does not speak the protocol that the client asks for, for example HTTP/2 for gRPC']
  }
  if (sender === 'client') {
    return [
      'The CA of the server’s certificate is not in the CA bundle of the client',
      'The certificate is for other names',
      'A proxy in between presents its own certificate',
    ]
  }
  return [
    'The server requires a client certificate (mTLS) that is missing or not accepted',
    'There is no cipher suite that both support',
  ]
}

function closedText(failure: TlsFailure, reason: Extract<TlsFailureReason, { kind: 'closed' }>): Text {
  const when = reason.hasServerHello ? 'before both sides sent data' : 'without an answer of the server'
  return {
    id: 'tls-closed',
    title: `${counted(failure.count, 'TLS connection')} with ${nameOf(failure)} ended ${when}: the ${reason.sender} ${reason.by === 'reset' ? 'reset' : 'closed'} it without an alert`,
    displayFilter: `${serverFilter(failure.ends.server)} && (tls.handshake || tcp.flags.reset == 1 || tcp.flags.fin == 1)`,
    likelyCauses: [
      'The server, or a gateway before it, has no route for the requested name (SNI)',
      'The client gave up, or only checks that the port is open',
      'The server ended or restarted',
    ],
    nextSteps: ['The logs of the server', 'The hosts of the gateway or ingress', 'Restarts of the server’s pods'],
  }
}

function certificateFinding(seen: SeenCertificate, clock: CaptureClock): Finding[] {
  const { notAfterSeconds, notBeforeSeconds, names } = seen.certificate
  const validity = validityAt(seen, clock.endSeconds)
  if (validity === undefined) return []
  const { id, state, edgeSeconds } = validity
  return [
    {
      id,
      severity: id === 'certificate-expires-soon' ? 'warning' : 'error',
      title: `The certificate of ${nameOf(seen)} ${state} ${dateText(edgeSeconds)}`,
      count: seen.count,
      evidence: [evidenceOf(seen, seen.ends, clock)],
      displayFilter: `tls.handshake.certificate && ${serverFilter(seen.ends.server)}`,
      likelyCauses: [
        'The certificate was not renewed',
        'What serves it reads its Secret only when it starts, and still uses the old one',
        'The clock of a node is wrong',
      ],
      nextSteps: [
        'kubectl get certificate, with cert-manager',
        'The dates of tls.crt in the Secret',
        'Restart what serves the certificate',
      ],
      facts: {
        not_before: dateText(notBeforeSeconds),
        not_after: dateText(notAfterSeconds),
        ...(names[0] === undefined ? {} : { first_name: names[0] }),
      },
    },
  ]
}

function validityAt(
  { certificate: { notAfterSeconds, notBeforeSeconds } }: SeenCertificate,
  seconds: number,
): { id: Finding['id']; state: string; edgeSeconds: number } | undefined {
  if (notAfterSeconds < seconds) return { id: 'certificate-expired', state: 'expired on', edgeSeconds: notAfterSeconds }
  if (notBeforeSeconds > seconds) {
    return { id: 'certificate-not-yet-valid', state: 'is not valid before', edgeSeconds: notBeforeSeconds }
  }
  if (notAfterSeconds - seconds > soonSeconds) return undefined
  return { id: 'certificate-expires-soon', state: 'expires on', edgeSeconds: notAfterSeconds }
}

function nameOf({ serverName, server, backends }: TlsFailure | SeenCertificate): string {
  if (serverName === undefined) return serverText(server, backends)
  const behind = backends.size === 0 ? '' : `, ${backendsText(backends)}`
  return `${serverName} (${server}${behind})`
}

/** A certificate may have any year; the text of most is a date. */
function dateText(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime())
    ? 'an invalid date'
    : date
        .toISOString()
        .replace(/:\d\d\.\d+Z$/, ' UTC')
        .replace('T', ' ')
}
