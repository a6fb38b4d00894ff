/** All that a run has to say about one capture: the only thing that the summary, the outputs and the JSON are made of. */
export interface CaptureReport {
  readonly level: 'pod' | 'node'
  readonly method: 'ephemeral-container' | 'node-pod' | 'ssh'
  /** '' where a node was captured by its own name, as `pod` */
  readonly namespace: string
  readonly pod: string
  readonly node: string
  readonly container: string
  readonly image: string
  /** as the node resolved it, '' when it did not say */
  readonly imageId: string
  readonly interface: string
  readonly filter: string
  readonly snaplen: number
  /** ms since the epoch, the node's clock at "listening"; undefined when it never listened */
  readonly began: number | undefined
  /** seconds that tcpdump recorded, linger and pauses included */
  readonly recordedSeconds: number | undefined
  readonly pausedSeconds: number
  readonly packets: number
  readonly bytes: number
  readonly linkType: number | undefined
  /** undefined: tcpdump could not say */
  readonly dropped: number | undefined
  /** the loopback took part, whose packets the kernel counts twice */
  readonly droppedIsUpperBound: boolean
  readonly interfaces: readonly { readonly index: number; readonly name: string }[]
  readonly verdict: 'complete' | 'partial' | 'empty'
  readonly verdictReason: string
  readonly stopReason: string
  /** times a broken connection was replaced */
  readonly resumed: number
  /** of the pcap file, hex */
  readonly sha256: string
  readonly pcapPath: string | undefined
  /** shown to the user: what to widen, what else to know */
  readonly hints: readonly string[]
  /** what stays of ours in the cluster or on the node, in words */
  readonly remains: readonly string[]
  readonly artifact: ArtifactReport | undefined
  /** why there is no artifact */
  readonly uploadError: string | undefined
}

export interface ArtifactReport {
  readonly id: number
  readonly name: string
  readonly url: string
  readonly digest: string
}
