import type { DecodedPacket, PacketTracker } from '../decoded-packet.ts'
import type { ConnectionTracker } from '../flows/connection-tracker.ts'
import { ConnectionLogs } from '../sequence/connection-logs.ts'
import { PeerTrafficTracker } from './peer-traffic.ts'
import { TimelineTracker } from './timeline.ts'

/** Collects what tables and charts show. One tracker for all: each tracker costs a call for each packet. */
export class DetailsTracker implements PacketTracker {
  readonly peers: PeerTrafficTracker
  readonly timeline: TimelineTracker
  readonly logs: ConnectionLogs

  constructor(connections: ConnectionTracker) {
    this.peers = new PeerTrafficTracker(connections)
    this.timeline = new TimelineTracker(connections)
    this.logs = new ConnectionLogs(connections)
  }

  onPacket(packet: DecodedPacket): void {
    if (packet.isCopy) return
    this.timeline.onPacket(packet)
    this.logs.onPacket(packet)
  }

  onConnectionEnd(connection: number): void {
    this.peers.onConnectionEnd(connection)
    this.logs.onConnectionEnd(connection)
  }

  onConnectionEvicted(connection: number): void {
    this.logs.onConnectionEvicted(connection)
  }
}
