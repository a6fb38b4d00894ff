import type { Endpoint } from '../decoded-packet.ts'

/** Who asks and who answers on a connection, as far as its packets tell. */
export interface ConnectionEnds {
  readonly client: Endpoint
  readonly server: Endpoint
  /** where the connection ended behind NAT: the pod behind the address of a service */
  readonly backend?: Endpoint | undefined
}

/** The name of a server in tables: "address:port", IPv6 in brackets. */
export function serverKey({ server: { address, port } }: ConnectionEnds): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
