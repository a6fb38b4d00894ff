import type { CaptureConsumer, CapturedPacket } from '../pcap/capture-format.ts'
import type { PacketTracker } from './decoded-packet.ts'
import { PacketDecoder } from './decode/decoder.ts'
import { ConnectionTracker } from './flows/connection-tracker.ts'
import type { ConnectionTrackerOptions } from './flows/connection-tracker.ts'
import { FrameTotals } from './frame-totals.ts'

/** Analyses the packets of one capture as they arrive: a consumer of `CaptureReader`. Memory is bounded, nothing throws. */
export class Analysis implements CaptureConsumer {
  readonly frames = new FrameTotals()
  readonly connections: ConnectionTracker
  readonly decoder: PacketDecoder
  #isEnded = false

  /** `trackers` get the decoded packets that they want after the connection and the events are set. */
  constructor(
    options: ConnectionTrackerOptions = {},
    trackers: (connections: ConnectionTracker) => readonly PacketTracker[] = () => [],
  ) {
    this.connections = new ConnectionTracker(options)
    this.connections.handTo([this.frames, ...trackers(this.connections)])
    this.decoder = new PacketDecoder(this.connections)
  }

  onPacket(captured: CapturedPacket): void {
    this.decoder.decode(captured)
    this.connections.onFrameEnd(this.decoder.packet)
    this.frames.onFrame(captured, this.decoder.packet)
  }

  /** Ends all connections that are open: the totals are then whole. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.frames.end()
    this.connections.end()
  }
}
