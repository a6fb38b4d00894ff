import type { Agent } from 'node:http'

/** Where IAP's connections to an instance come from: cloud.google.com/iap/docs/using-tcp-forwarding. */
export const iapRanges = { ipv4: '35.235.240.0/20', ipv6: '2600:2d00:1:7::/64' } as const

export interface TunnelTarget {
  readonly project: string
  readonly zone: string
  readonly instance: string
  /** `nic0` */
  readonly interface: string
  readonly port: number
}

export interface TunnelOptions {
  /** An access token, requested for each connection to the relay. `refused`: the one that the relay no longer accepts. */
  token(refused?: string): Promise<string>
  /** base URL of the relay, `wss://tunnel.cloudproxy.app/v4`; see `relayUrl` */
  readonly url: string
  /** of the proxy between this machine and the relay */
  readonly agent?: Agent
  /** A connection was lost; the tunnel reconnects. `reason` is short: `4004: reauthentication required`. */
  onReconnecting?(reason: string): void
  /** PEM of the CA of a private relay, or of one in a test */
  readonly certificateAuthority?: string
  /** destroys the tunnel, also while it opens */
  readonly signal?: AbortSignal
  /** in place of `defaultTiming` */
  readonly timing?: Partial<TunnelTiming>
}

export interface TunnelTiming {
  /** until the relay has connected to the port of the instance */
  readonly openTimeoutMs: number
  /** A lost connection is replaced at once, then after this delay, then after 1.1 times as much, … */
  readonly firstDelayMs: number
  /** … at most after this delay. A connection that lasted longer counts as a success. */
  readonly maxDelayMs: number
  /** without a working connection, until the tunnel fails */
  readonly patienceMs: number
  /** between two pings; the connection is cut when the relay answers neither of two */
  readonly pingIntervalMs: number
  /** until received bytes are acknowledged, at the latest */
  readonly ackDelayMs: number
  /** With a full queue, until bytes are dropped from it that the relay has not acknowledged: some relays never do. */
  readonly ackPatienceMs: number
  /** until a connection is cut whose close the relay does not answer */
  readonly closeTimeoutMs: number
}

/** Opening and reconnecting as gcloud does (api_lib/compute/iap_tunnel_websocket.py). */
export const defaultTiming: TunnelTiming = {
  openTimeoutMs: 60_000,
  firstDelayMs: 1_500,
  maxDelayMs: 20_000,
  patienceMs: 15 * 60_000,
  pingIntervalMs: 15_000,
  ackDelayMs: 2_000,
  ackPatienceMs: 10_000,
  closeTimeoutMs: 2_000,
}
