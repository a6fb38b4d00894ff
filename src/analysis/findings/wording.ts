import type { Endpoint } from '../decoded-packet.ts'

export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** The condition that an address (IPv4 or IPv6) is one end: "ip.addr == 10.96.0.10". */
export function addressFilter(address: string): string {
  return `${address.includes(':') ? 'ipv6' : 'ip'}.addr == ${address}`
}

/** A filter for the packets of TCP between two endpoints. */
export function connectionFilter({ client, server }: { client: Endpoint; server: Endpoint }): string {
  return `${addressFilter(client.address)} && ${addressFilter(server.address)} && tcp.port == ${client.port} && tcp.port == ${server.port}`
}

/** A filter for the packets of TCP with a server. */
export function serverFilter({ address, port, redirectPort }: Endpoint): string {
  const filter = `${addressFilter(address)} && tcp.port == ${port}`
  return redirectPort === undefined ? filter : `((${filter}) || tcp.port == ${redirectPort})`
}

/** A filter for packets by their number: where Wireshark cannot see what they have in common. */
export function framesFilter(frames: readonly number[]): string {
  return frames.map((frame) => `frame.number == ${frame}`).join(' || ')
}

/** "1 connection", "3 connections" */
export function counted(count: number, noun: string): string {
  return countedAs(count, noun, `${noun}s`)
}

/** "1 query", "3 queries": for words whose plural is not an s more */
export function countedAs(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

/** "120 ms", "2.5 s" */
export function durationText(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  return `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`
}

/** "10.96.0.10:53 (backend 10.244.1.5:5353)": the address of a service, and the pods behind it that are meant. */
export function serverText(server: string, backends: ReadonlySet<string>): string {
  return backends.size === 0 ? server : `${server} (${backendsText(backends)})`
}

/** "backend 10.244.1.5:5353", "backends …, …" */
export function backendsText(backends: ReadonlySet<string>): string {
  return `${backends.size === 1 ? 'backend' : 'backends'} ${listed([...backends])}`
}

const maxListedCharacters = 80

/** At most three of the texts, each cut after 80 characters, and how many more there are. */
export function listed(texts: readonly string[]): string {
  const rest = texts.length - 3
  const shown = texts
    .slice(0, 3)
    .map((text) => (text.length > maxListedCharacters ? `${text.slice(0, maxListedCharacters)}…` : text))
  return shown.join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}
