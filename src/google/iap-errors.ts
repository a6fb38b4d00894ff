import { ConfigurationError } from '../errors.ts'
import type { TunnelTarget } from './iap-tunnel.ts'

/** A tunnel that cannot be opened, or is lost. */
export class TunnelError extends ConfigurationError {
  /** the relay's close code (from 1000), or the HTTP status (below 1000) of a connection that it refused; undefined: neither came */
  readonly code: number | undefined
  /** the bare cause, for the log: `4004: reauthentication required`, `ECONNRESET` */
  readonly reason: string
  /** a further try may succeed */
  readonly passing: boolean

  constructor(message: string, about: { code?: number; reason: string; passing: boolean }) {
    super(`node-method: ${message}`)
    this.code = about.code
    this.reason = about.reason
    this.passing = about.passing
  }
}

/** Where IAP's connections to an instance come from: cloud.google.com/iap/docs/using-tcp-forwarding. */
const iapRanges = '35.235.240.0/20 (IPv6: 2600:2d00:1:7::/64)'
const otherWay = 'Or capture by a pod on the node: node-method: pod.'

/** Those of a connection that broke (1005, 1006), or of a relay that can be asked again: 4002 while it has not noticed that a connection is gone, 4004 with a new token. */
const passingCodes: ReadonlySet<number> = new Set([401, 408, 425, 429, 1005, 1006, 4002, 4004])

/** What a close code or an HTTP status means for the user. Codes: IAP Desktop's SshRelayConstants.cs. */
export function refusedTunnel(target: TunnelTarget, code: number, words: string): TunnelError {
  const reason = `${code < 1000 ? 'HTTP ' : ''}${String(code)}${words === '' ? '' : `: ${words}`}`
  const passing = passingCodes.has(code) || (code >= 500 && code < 600)
  return new TunnelError(explain(target, code, reason), { code, reason, passing })
}

function explain(target: TunnelTarget, code: number, said: string): string {
  const { project, zone, instance } = target
  const port = String(target.port)
  switch (code) {
    case 4003:
      return (
        `the IAP relay reaches nothing on port ${port} of ${instance} (${said}). Does sshd listen there, and does the firewall let it in? ` +
        `Allow tcp:${port} from ${iapRanges} to the nodes: ${firewallCommand(target)}. ${otherWay}`
      )
    case 4033:
      return (
        `no right to a tunnel to port ${port} of ${instance} (${said}). Grant roles/iap.tunnelResourceAccessor to who this run is: ` +
        `\`gcloud projects add-iam-policy-binding ${project} --role=roles/iap.tunnelResourceAccessor --member=MEMBER\`; ` +
        `a condition on it must allow port ${port}, and iap.googleapis.com must be on in ${project}. A new binding takes some minutes to hold. ${otherWay}`
      )
    case 4047:
    case 4051:
      return `the IAP relay finds no instance ${instance} in ${zone} of ${project} (${said}). The node may just have been replaced or stopped: run the job again.`
    case 4001:
      return `the IAP relay no longer knows the session with ${instance} (${said}): the connection was away for too long. Run the job again. ${otherWay}`
    case 1005:
    case 1006:
      return `the connection to the IAP relay for ${instance} broke (${said}). Does a proxy or a firewall on the way cut it? Run the job again. ${otherWay}`
    case 401:
      return `the IAP relay does not take the access token (${said}). It has expired, has been revoked, or is of another universe.`
    case 403:
      return (
        `a tunnel to ${instance} is refused before IAP looks at rights (${said}): by a proxy on the way, or by a VPC Service Controls perimeter. ` +
        `Let the runner reach the relay (HTTPS_PROXY, NO_PROXY). ${otherWay}`
      )
    case 404:
      return `the IAP relay knows no zone ${zone}, or there is no relay at its address (${said}). Check IAP_TUNNEL_URL_OVERRIDE where it is set.`
    case 407:
      return `the proxy on the way to the IAP relay wants other credentials (${said}). Check HTTPS_PROXY.`
    default:
      return `the IAP relay ends the tunnel to ${instance} (${said}). Run the job again. ${otherWay}`
  }
}

/** `timeout`: ms */
export function silentTunnel(target: TunnelTarget, timeout: number): TunnelError {
  const reason = `no answer within ${String(timeout / 1000)} s`
  return new TunnelError(
    `the IAP relay does not reach port ${String(target.port)} of ${target.instance} (${reason}). Most often the firewall drops what comes from IAP: ` +
      `allow tcp:${String(target.port)} from ${iapRanges} to the nodes: ${firewallCommand(target)}. ${otherWay}`,
    { reason, passing: true },
  )
}

/** `reason`: the network's, such as `connect ECONNREFUSED 192.0.2.1:443` */
export function unreachableRelay(host: string, reason: string): TunnelError {
  return new TunnelError(
    `the IAP relay ${host} cannot be reached (${reason}). Does the runner have a way to it (HTTPS_PROXY, NO_PROXY, a firewall)? ${otherWay}`,
    { reason, passing: true },
  )
}

/** `elapsed`: ms without a working connection */
export function lostTunnel(target: TunnelTarget, elapsed: number, last: TunnelError): TunnelError {
  const seconds = Number((elapsed / 1000).toFixed(1))
  return new TunnelError(
    `the connection to the IAP relay for ${target.instance} is lost and did not come back in ${String(seconds)} s (${last.reason}). ` +
      `Is the runner's network up? Run the job again. ${otherWay}`,
    { ...(last.code === undefined ? {} : { code: last.code }), reason: last.reason, passing: false },
  )
}

/** The relay does not keep to the protocol. */
export function brokenTunnel(target: TunnelTarget, reason: string): TunnelError {
  return new TunnelError(
    `the IAP relay for ${target.instance} does not keep to its protocol (${reason}). Is something between the runner and it? Run the job again. ${otherWay}`,
    { reason, passing: false },
  )
}

function firewallCommand({ project, port }: TunnelTarget): string {
  return `\`gcloud compute firewall-rules create allow-iap-${String(port)} --project=${project} --network=NETWORK --allow=tcp:${String(port)} --source-ranges=35.235.240.0/20\``
}
