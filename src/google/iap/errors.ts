import type { ErrorCode } from '../../common/error-codes.ts'
import { ConfigurationError, type Problem } from '../../common/errors.ts'
import { iapRanges, type TunnelTarget } from './types.ts'

/** What a TunnelError carries besides its problem. */
export interface TunnelFailure {
  /** the relay's close code (from 1000), or the HTTP status (below 1000) of a connection that it refused; undefined: neither arrived */
  readonly relayCode?: number | undefined
  /** the cause alone, for the log: `4004: reauthentication required`, `ECONNRESET` */
  readonly reason: string
  /** a further attempt may succeed */
  readonly isTransient: boolean
}

/** A tunnel that cannot be opened, or is lost. */
export class TunnelError extends ConfigurationError {
  readonly relayCode: number | undefined
  readonly reason: string
  readonly isTransient: boolean

  constructor(explanation: Explanation, { relayCode, reason, isTransient }: TunnelFailure) {
    super(toProblem(explanation))
    this.relayCode = relayCode
    this.reason = reason
    this.isTransient = isTransient
  }
}

interface Explanation {
  readonly code: ErrorCode
  readonly problem: string
  readonly message?: string
  readonly fix: string
  /** a node pod does not use the relay, so it is an alternative */
  readonly canUsePod?: boolean
}

function toProblem({ fix, canUsePod = true, ...explanation }: Explanation): Problem {
  const alternative = canUsePod ? ' Or use node-method: pod.' : ''
  return { ...explanation, input: 'node-method', fix: `${fix}${alternative}` }
}

/**
 * Those of a connection that broke (1005, 1006), and of a relay that can be asked again: 4002 while it has not noticed that a connection is gone,
 * 4004 with a new token.
 */
const transientCodes: ReadonlySet<number> = new Set([401, 408, 425, 429, 1005, 1006, 4002, 4004])

/** @param message of the relay, or of the HTTP response; undefined where it has none */
export function relayRefusal(target: TunnelTarget, relayCode: number, message: string | undefined): TunnelError {
  const reason = `${relayCode < 1000 ? 'HTTP ' : ''}${String(relayCode)}${message === undefined ? '' : `: ${message}`}`
  const isTransient = transientCodes.has(relayCode) || (relayCode >= 500 && relayCode < 600)
  return new TunnelError(explainCode(target, relayCode, reason), { relayCode, reason, isTransient })
}

/** What a close code or an HTTP status means for the user. Codes: SshRelayConstants.cs of IAP Desktop. */
function explainCode(target: TunnelTarget, relayCode: number, reason: string): Explanation {
  const { project, zone, instance, port } = target
  switch (relayCode) {
    case 4003:
      return {
        code: 'E_IAP_PORT_UNREACHABLE',
        problem: `the IAP relay cannot connect to port ${port} of ${instance} (${reason})`,
        fix: `Check that sshd listens there. ${firewallFix(target)}`,
      }
    case 4033:
      return {
        code: 'E_IAP_ACCESS_DENIED',
        problem: `the identity has no permission to open an IAP tunnel to port ${port} of ${instance} (${reason})`,
        fix:
          `Grant it roles/iap.tunnelResourceAccessor: ` +
          `\`gcloud projects add-iam-policy-binding ${project} --role=roles/iap.tunnelResourceAccessor --member=MEMBER\`. ` +
          `A condition on the binding must allow port ${port}, and iap.googleapis.com must be enabled in ${project}. A new binding takes some minutes to apply.`,
      }
    case 4047:
    case 4051:
      return {
        code: 'E_IAP_INSTANCE_NOT_FOUND',
        problem: `the IAP relay does not find the instance ${instance} in ${zone} of ${project} (${reason})`,
        fix: 'The node may just have been replaced or stopped: run the job again.',
        canUsePod: false,
      }
    case 4001:
      return {
        code: 'E_IAP_CONNECTION_LOST',
        problem: `the IAP relay no longer has the session with ${instance} (${reason}), because the connection was lost for too long`,
        fix: 'Run the job again.',
      }
    case 1005:
    case 1006:
      return {
        code: 'E_IAP_CONNECTION_LOST',
        problem: `the connection to the IAP relay for ${instance} broke (${reason})`,
        fix: 'Check whether a proxy or a firewall cuts it, and run the job again.',
      }
    default:
      return explainHttpStatus(target, relayCode, reason)
  }
}

function explainHttpStatus({ zone, instance }: TunnelTarget, status: number, reason: string): Explanation {
  switch (status) {
    case 401:
      return {
        code: 'E_GOOGLE_TOKEN_REJECTED',
        problem: `the IAP relay does not accept the access token (${reason})`,
        fix: 'It has expired, was revoked, or belongs to another universe. Run the job again.',
        canUsePod: false,
      }
    case 403:
      return {
        code: 'E_IAP_BLOCKED',
        problem: `a proxy or a VPC Service Controls perimeter refuses the tunnel to ${instance} before IAP checks permissions (${reason})`,
        fix: 'Allow the runner to reach the relay (HTTPS_PROXY, NO_PROXY).',
      }
    case 404:
      return {
        code: 'E_IAP_BLOCKED',
        problem: `the IAP relay does not have the zone ${zone}, or there is no relay at its address (${reason})`,
        fix: 'Check IAP_TUNNEL_URL_OVERRIDE where it is set.',
        canUsePod: false,
      }
    case 407:
      return {
        code: 'E_IAP_BLOCKED',
        problem: `the proxy between the runner and the IAP relay rejects its credentials (${reason})`,
        fix: 'Check HTTPS_PROXY.',
        canUsePod: false,
      }
    default:
      return {
        code: 'E_IAP_CONNECTION_LOST',
        problem: `the IAP relay closed the tunnel to ${instance} (${reason})`,
        fix: 'Run the job again.',
      }
  }
}

export function relayTimeout(target: TunnelTarget, timeoutMs: number): TunnelError {
  const reason = `no answer within ${String(timeoutMs / 1000)} s`
  return new TunnelError(
    {
      code: 'E_IAP_PORT_UNREACHABLE',
      problem: `the IAP relay cannot connect to port ${String(target.port)} of ${target.instance} (${reason}); usually a firewall drops the packets from IAP`,
      fix: firewallFix(target),
    },
    { reason, isTransient: true },
  )
}

/** @param reason of the network, such as `connect ECONNREFUSED 192.0.2.1:443` */
export function relayUnreachable(host: string, reason: string): TunnelError {
  return new TunnelError(
    {
      code: 'E_GOOGLE_UNREACHABLE',
      problem: `the IAP relay ${host} cannot be reached (${reason})`,
      fix: 'Check that the runner can connect to it (HTTPS_PROXY, NO_PROXY, a firewall).',
    },
    { reason, isTransient: true },
  )
}

/** @param outageMs without a working connection */
export function connectionLost(target: TunnelTarget, outageMs: number, last: TunnelError): TunnelError {
  const seconds = Number((outageMs / 1000).toFixed(1))
  return new TunnelError(
    {
      code: 'E_IAP_CONNECTION_LOST',
      problem: `the connection to the IAP relay for ${target.instance} was lost and could not be restored within ${String(seconds)} s (${last.reason})`,
      fix: "Check the runner's network and run the job again.",
    },
    { relayCode: last.relayCode, reason: last.reason, isTransient: false },
  )
}

/** @param reason of the source of the tokens, which may be unreachable for the same cause as the relay */
export function tokenUnavailable(reason: string): TunnelError {
  return new TunnelError(
    {
      code: 'E_GOOGLE_UNREACHABLE',
      problem: 'there is no access token for the IAP relay',
      message: reason,
      fix: 'Run the job again.',
    },
    { reason, isTransient: true },
  )
}

export function protocolViolation(target: TunnelTarget, reason: string): TunnelError {
  return new TunnelError(
    {
      code: 'E_IAP_PROTOCOL',
      problem: `the IAP relay for ${target.instance} violates its protocol (${reason})`,
      fix: 'Check whether a proxy between the runner and the relay changes the traffic, and run the job again.',
    },
    { reason, isTransient: false },
  )
}

function firewallFix({ project, port }: TunnelTarget): string {
  return (
    `Allow tcp:${String(port)} from ${iapRanges.ipv4} (IPv6: ${iapRanges.ipv6}) to the nodes: ` +
    `\`gcloud compute firewall-rules create allow-iap-${String(port)} --project=${project} --network=NETWORK --allow=tcp:${String(port)} --source-ranges=${iapRanges.ipv4}\`.`
  )
}
