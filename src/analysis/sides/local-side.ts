/** How it is known which addresses are those of the captured pod or node. */
export type LocalSideSource = 'given' | 'packet-types' | 'hop-limits' | 'common-address' | 'loopback' | 'unknown'

/** Which addresses are on this side: those of the captured pod or node. */
export class LocalSide {
  readonly source: LocalSideSource
  readonly addresses: ReadonlySet<string>

  constructor(source: LocalSideSource, addresses: Iterable<string>) {
    this.source = source
    this.addresses = new Set(addresses)
  }

  /** Undefined: it is not known. */
  has(address: string): boolean | undefined {
    if (isLoopbackAddress(address) || this.addresses.has(address)) return true
    // Of a pod with addresses of both families, a capture may have told only those of one.
    return [...this.addresses].some((known) => isIpv6(known) === isIpv6(address)) ? false : undefined
  }
}

/** It never leaves its host. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

function isIpv6(address: string): boolean {
  return address.includes(':')
}

/** The addresses as the Kubernetes API writes them, in the form in which packets are shown. */
export function givenSide(addresses: readonly string[]): LocalSide | undefined {
  const known = addresses.filter((address) => address !== '')
  return known.length === 0 ? undefined : new LocalSide('given', known.map(canonical))
}

/** RFC 5952: one text for each address. What is no address stays as it is. */
function canonical(address: string): string {
  if (!isIpv6(address) || !URL.canParse(`http://[${address}]`)) return address
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}
