import { type Endpoint, ipProtocol } from '../decoded-packet.ts'
import { endpointText } from '../findings/wording.ts'
import type { ConnectionTracker } from '../flows/connection-tracker.ts'
import {
  directionDouble,
  directionDoubles,
  directionWord,
  directionWords,
  double,
  flowBit,
  flowDoubles,
  flowWords,
  word,
} from '../flows/layout.ts'

const maxPairsCount = 2_000

/** All connections, or UDP flows, of one client address with one server. */
export interface PeerTraffic {
  readonly protocol: 'TCP' | 'UDP'
  /** address */
  readonly client: string
  readonly server: Endpoint
  connections: number
  packets: number
  /** on the wire, of both directions */
  bytes: number
}

/** Who talked to whom: counted when a connection ends. */
export class PeerTrafficTracker {
  readonly #connections: ConnectionTracker
  /** by two keys, see `#keyOf` */
  readonly #pairs = new Map<number | string, Map<number, PeerTraffic>>()
  #count = 0
  /** connections of pairs that are not listed, because there were too many */
  overflowCount = 0

  constructor(connections: ConnectionTracker) {
    this.#connections = connections
  }

  onConnectionEnd(connection: number): void {
    const pair = this.#pair(connection)
    if (pair === undefined) return
    const { words, doubles } = this.#connections.table
    const packetsAt = connection * flowWords + word.directions + directionWord.packets
    const bytesAt = connection * flowDoubles + double.directions + directionDouble.wireBytes
    pair.connections += 1
    pair.packets += words[packetsAt]! + words[packetsAt + directionWords]!
    pair.bytes += doubles[bytesAt]! + doubles[bytesAt + directionDoubles]!
  }

  /** The pairs with the most bytes first. */
  pairs(): readonly PeerTraffic[] {
    return [...this.#pairs.values()]
      .flatMap((pairs) => [...pairs.values()])
      .toSorted((one, other) => other.bytes - one.bytes)
  }

  #pair(connection: number): PeerTraffic | undefined {
    const key = this.#keyOf(connection)
    const second = typeof key === 'string' ? 0 : this.#connections.table.words[connection * flowWords + word.high]!
    const known = this.#pairs.get(key)
    let pair = known?.get(second)
    if (pair !== undefined) return pair
    if (this.#count >= maxPairsCount) {
      this.overflowCount += 1
      return undefined
    }
    const { client, server, protocol } = this.#connections.facts(connection)
    const name = protocol === ipProtocol.tcp ? 'TCP' : 'UDP'
    pair = { protocol: name, client: client.address, server, connections: 0, packets: 0, bytes: 0 }
    if (known === undefined) this.#pairs.set(key, new Map([[second, pair]]))
    else known.set(second, pair)
    this.#count += 1
    return pair
  }

  /**
   * Of IPv4 all but the high address as a number of 50 bits, the high address is the second key: text is made once for each pair, not for each
   * connection. Of IPv6, and where a proxy answers in place of the server, the text.
   */
  #keyOf(connection: number): number | string {
    const { words } = this.#connections.table
    const at = connection * flowWords
    const protocol = words[at + word.protocol]!
    if (protocol >> 8 !== 4 || this.#connections.isRedirected(connection)) {
      const { client, server } = this.#connections.facts(connection)
      return `${protocol} ${client.address} ${endpointText(server)}`
    }
    const isServerFirst = this.#connections.clientDirection(connection) === 1
    const isServerLow = ((words[at + word.bits]! & flowBit.firstIsLow) !== 0) === isServerFirst
    const ports = words[at + word.ports]!
    const port = isServerLow ? ports >>> 16 : ports & 0xffff
    const kind = ((protocol & 0xff) === ipProtocol.tcp ? 2 : 0) + (isServerLow ? 1 : 0)
    return ((words[at + word.low]! >>> 0) * 0x10000 + port) * 4 + kind
  }
}
