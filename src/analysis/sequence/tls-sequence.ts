import type { SeenCertificate, TlsConnection, TlsConnections } from '../application/tls-connections.ts'
import { versionName } from '../application/tls-names.ts'
import type { Finding } from '../findings/finding.ts'
import type { TimedSequence, TimedStep } from './sequence.ts'

/** The handshake that shows the finding. Undefined: it is not about TLS. */
export function tlsSequence({ id, evidence }: Finding, connections: TlsConnections): TimedSequence | undefined {
  const frame = evidence[0]?.frames[0]
  if (id.startsWith('certificate-')) {
    const seen = connections.certificates().find(({ frames }) => frames[0] === frame)
    return seen && certificateSequence(seen)
  }
  if (!['tls-alert', 'tls-closed', 'tls-to-plain-server', 'plain-to-tls-server'].includes(id)) return undefined
  const failure = connections.failures().find(({ frames }) => frames[0] === frame)
  if (failure === undefined) return undefined
  const { example, ends } = failure
  return { ...ends, startNs: example.firstTimeNs, steps: handshakeSteps(example) }
}

function certificateSequence({ ends, serverName, certificate, frames, firstTimeNs }: SeenCertificate): TimedSequence {
  return {
    ...ends,
    startNs: firstTimeNs,
    steps: [
      helloStep({ serverName, frame: frames[0], timeNs: firstTimeNs, versions: [] }),
      certificateStep(certificate),
    ],
  }
}

function handshakeSteps(connection: TlsConnection): TimedStep[] {
  const { foreignRequest, helloFrame, selectedVersion, certificate, foreignAnswer, fatalAlert, closedBy } = connection
  const hello = {
    ...connection,
    frame: helloFrame,
    timeNs: connection.firstTimeNs,
    versions: fatalAlert?.name === 'protocol_version' ? connection.offeredVersions : [],
  }
  const steps: (TimedStep | undefined)[] = [
    foreignRequest && { sender: 'client', text: foreignRequest.protocol, frame: undefined },
    helloFrame > 0 ? helloStep(hello) : undefined,
    selectedVersion === undefined
      ? undefined
      : { sender: 'server', text: `ServerHello, ${versionName(selectedVersion)}` },
    certificate && certificateStep(certificate),
    foreignRequest && { sender: 'server', text: 'TLS', frame: foreignRequest.frameNumber },
    foreignAnswer && { sender: 'server', text: foreignAnswer.protocol, frame: foreignAnswer.frameNumber },
    fatalAlert && {
      sender: fatalAlert.isClient === false ? 'server' : 'client',
      text: `alert ${fatalAlert.name}`,
      timeNs: fatalAlert.timeNs,
      frame: fatalAlert.frameNumber,
    },
    closedBy === undefined || closedBy.by === 'end of capture'
      ? undefined
      : { sender: closedBy.isClient ? 'client' : 'server', text: closedBy.by === 'reset' ? 'RST' : 'FIN' },
  ]
  return steps.filter((step) => step !== undefined)
}

function helloStep(hello: {
  readonly serverName: string | undefined
  readonly frame: number | undefined
  readonly timeNs: number
  readonly versions: readonly number[]
}): TimedStep {
  const { serverName, frame, timeNs, versions } = hello
  const parts = [
    'ClientHello',
    ...(serverName === undefined ? [] : [`for ${serverName}`]),
    ...(versions.length === 0 ? [] : [`offers ${versions.slice(0, 5).map(versionName).join(', ')}`]),
  ]
  return { sender: 'client', text: parts.join(' '), timeNs, frame }
}

function certificateStep({ names, notAfterSeconds }: NonNullable<TlsConnection['certificate']>): TimedStep {
  const date = new Date(notAfterSeconds * 1_000)
  const until = Number.isNaN(date.getTime()) ? '' : `, valid until ${date.toISOString().slice(0, 10)}`
  return { sender: 'server', text: `certificate of ${names[0] ?? 'no name'}${until}` }
}
