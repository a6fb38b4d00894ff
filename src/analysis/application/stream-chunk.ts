/** The next bytes of one direction of a connection: `bytes[start]` to `bytes[end - 1]`. One object, filled again: copy what you keep. */
export class StreamChunk {
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  end = 0
  timeNs = 0
  frameNumber = 0
  /**
   * The segment came late, after one that follows it. tshark 4.0 does not read a message that such a segment completes: the counters that are
   * compared with it leave it out, findings do not.
   */
  isLate = false
  /** Sent before, as tshark judges: it does not even fill a hole with such a segment. */
  isRepeat = false
}

/** Reads one direction of a connection. None of the methods throws, whatever the bytes are. */
export interface StreamParser {
  /** Takes all bytes of the chunk. */
  onChunk(chunk: StreamChunk): void
  /** Bytes are missing at this point: they were lost before the capture, or cut off by its snapshot length (then what is held is read as it is). */
  onGap(byteCount: number, wasCut: boolean): void
  /** Bytes that `onGap` told to be missing came after all: they are not handed over. */
  onGapFilled?(byteCount: number): void
  /** Nothing comes any more. */
  onClose(by: 'fin' | 'reset' | 'end of capture'): void
  /** How many of the next bytes the parser does not look at: they may be missing. */
  readonly skippableBytes: number
  /** It does not know where the next message starts: the start of the next segment is tried. */
  readonly isLost: boolean
  /** The next chunk is taken for the start of a message. */
  resume(): void
}
